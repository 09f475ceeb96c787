#pragma once

#include "jobs/due.hpp"
#include "jobs/pause.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace SQLite {  // NOLINT(readability-identifier-naming): the library's own name
class Database;
class Statement;
}  // namespace SQLite

namespace lull::store {

/// What is remembered of a job's schedule between starts of the supervisor.
struct JobClock {
  Clocks first_seen;  ///< anchors the grid of `every`
  Clocks considered;  ///< every slot up to here has a run, or was skipped on purpose
  std::string boot;   ///< the last boot that has a run, or was none for the job
  bool operator==(const JobClock&) const = default;
};

/// Who answers for a run.
enum class Owner { daemon, command };

/// A run that has not ended as far as the store knows.
struct OpenRun {
  RunRecord record;
  Owner owner = Owner::daemon;
  std::string log;
};

/// The SQLite file of one instance: slots, runs, levels, pauses. Durable: when a call that writes
/// has returned (or the batch around it was committed), the change survives a power failure (WAL,
/// synchronous=FULL). One thread at a time. The layout's version is PRAGMA user_version; older
/// files are migrated when they are opened, newer ones refused.
class Store {
 public:
  static constexpr int kVersion = 3;

  /// Opens or creates the file.
  static Result<Store> open(const std::string& path);
  /// For history and log: works beside a running supervisor, and without one. A file that does not
  /// exist is an empty history.
  static Result<Store> open_for_reading(const std::string& path);

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // The calls below throw SQLite::Exception; StoreThread and guarded() turn it into an Error.

  /// Begins, ends and undoes a batch of writes.
  void begin();
  void commit();
  void rollback();

  /// The clocks of all jobs; those of `jobs` that are not known yet begin as `fresh`.
  std::map<std::string, JobClock> clocks(const std::vector<std::string>& jobs,
                                         const JobClock& fresh);
  void set_considered(std::string_view job, const Clocks& until);
  void set_boot(std::string_view job, const std::string& boot);

  /// How long the machine had been awake, over all earlier boots, when `boot` began, of which
  /// `since` is the awake time so far. What it was awake after the last set_awake() of an earlier
  /// boot is not known and not in it.
  Duration awake_at_start(const std::string& boot, Duration since);
  void set_awake(Duration seen);

  /// The pauses by hand, those that have ended by now included until they are removed.
  HandPauses pauses();
  /// Replaces the job's pause, or that of kAllJobs.
  void set_pause(std::string_view job, const HandPause& pause);
  void remove_pause(std::string_view job);
  void remove_all_pauses();
  /// Removes those that end by themselves and have by `now`.
  void remove_ended_pauses(TimePoint now);

  /// Records a run before it has a process and returns its number. A second run for one slot of a
  /// job's schedule is not made: nothing is returned.
  std::optional<RunId> add_run(const RunRecord& run, Owner owner);
  /// Of a due run that somebody starts by hand.
  void set_trigger(RunId run, Trigger trigger);
  void set_started(RunId run, TimePoint started, std::string_view log);
  void add_level(RunId run, const LevelChange& change);
  /// Does nothing to a run that has ended already.
  void close_run(RunId run, const Ending& ending);
  std::vector<OpenRun> open_runs();
  /// Newest first; `job` empty: of all; `limit` 0: every one.
  std::vector<RunRecord> history(std::string_view job, int limit);
  std::optional<RunRecord> run(RunId id);
  /// The log's path of one run.
  std::optional<std::string> log_of(RunId run);
  /// The newest run of `job` that has a log.
  std::optional<RunRecord> newest_run(std::string_view job);
  std::map<std::string, TimePoint> last_successes();
  /// When each job's last run began that has ended; one that was skipped is none.
  std::map<std::string, TimePoint> last_runs();

 private:
  explicit Store(std::unique_ptr<SQLite::Database> database);
  void migrate();
  SQLite::Statement& statement(const char* sql);
  std::vector<LevelChange> levels(RunId run);
  std::map<std::string, TimePoint> times_by_job(const char* sql);

  std::unique_ptr<SQLite::Database> database_;
  std::map<const char*, std::unique_ptr<SQLite::Statement>> statements_;  // by their literal
};

/// Runs `work` and turns what SQLite throws into an Error.
template <class Work>
auto guarded(Work&& work) -> Result<decltype(work())>;

/// The message of the exception being handled.
Error current_error();

template <class Work>
auto guarded(Work&& work) -> Result<decltype(work())> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (...) {
    return current_error();
  }
}

}  // namespace lull::store
