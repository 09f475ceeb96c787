#pragma once

#include "jobs/run.hpp"
#include "jobs/spec.hpp"
#include "runner/store/store_thread.hpp"
#include "runner/supervisor/launcher.hpp"
#include "runner/supervisor/scopes.hpp"
#include "runner/supervisor/user_loop.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace lull::supervisor {

/// A recorded run that has not ended.
struct ActiveRun {
  enum class State { due, starting, running };

  ActiveRun(const boost::asio::any_io_executor& loop, RunRecord recorded,
            std::shared_ptr<const JobSpec> job);

  RunRecord record;
  std::shared_ptr<const JobSpec> spec;
  State state = State::due;
  pid_t main_pid = 0;    ///< of the job, once it runs
  os::Fd keeper;         ///< pidfd, once there is one
  bool by_hand = false;  ///< outside max_concurrent
  bool stopping = false;
  bool driven = false;  ///< the loop has it
  Duration paused{0};   ///< how long it stood still, as the loop said last
  Foreground started_in = Foreground::light;
  bool closed = false;                ///< it has ended, and the store has been told
  boost::asio::steady_timer changed;  ///< never expires; cancelled at every change of the above

  /// Returns when something has changed, or the run has ended.
  boost::asio::awaitable<void> wait_for_change();
  void announce() { changed.cancel(); }
  [[nodiscard]] bool ended() const { return record.ending.has_value(); }
  /// The loop holds it, for the foreground's sake.
  [[nodiscard]] bool is_paused() const {
    return !record.levels.empty() && record.levels.back().level == to_string(Pause{});
  }
};

using ActiveRunPtr = std::shared_ptr<ActiveRun>;

/// The runs under way: started in the order in which they became due, as many at once as the
/// settings allow, each followed by a coroutine from its keeper's start to its recorded end.
class Runs {
 public:
  using OnEnd = std::function<void(const ActiveRun&)>;

  /// `runtime_dir`: where this user's lulls agree on who drives all their runs.
  Runs(boost::asio::any_io_executor loop, Launcher& launcher, store::StoreThread& store,
       const os::RunFiles& files, const std::string& runtime_dir, OnEnd on_end);

  void set_foreground(const ForegroundSettings& settings) { drive_.set_settings(settings); }
  /// What the loop thinks of a run that is under way, one sentence each.
  boost::asio::awaitable<std::vector<std::string>> why(ActiveRunPtr run);

  void set_max_concurrent(int limit);

  /// Takes up a run that the store has; it starts when its turn comes, at once when `by_hand`.
  ActiveRunPtr add(RunRecord record, std::shared_ptr<const JobSpec> spec, bool by_hand);
  /// Takes up a run whose keeper an earlier supervisor started.
  void adopt(RunRecord record, std::shared_ptr<const JobSpec> spec,
             const os::ProcessIdentity& keeper);

  /// Closes a run that will not be started, as skipped.
  void drop(RunRecord record, std::shared_ptr<const JobSpec> spec, std::string reason);

  /// Ends a run: SIGTERM to its tree and, after the job's stop_timeout, SIGKILL. A run that is only
  /// due ends at once.
  void stop(ActiveRun& run);
  /// Stops all of them and starts no more.
  void stop_all();
  /// Starts no more; what runs goes on, with nobody to follow it.
  void release();
  /// Lets another lull of this user drive the runs, until `come_back`.
  void stand_aside() { drive_.leave(); }
  void come_back() { drive_.rejoin(); }

  [[nodiscard]] ActiveRunPtr of_job(std::string_view job) const;
  [[nodiscard]] bool empty() const { return active_.empty(); }

 private:
  ActiveRunPtr track(RunRecord record, std::shared_ptr<const JobSpec> spec);
  void start_next();
  void spawn_follower(const ActiveRunPtr& run, boost::asio::awaitable<void> follower);
  boost::asio::awaitable<void> live(ActiveRunPtr run);
  boost::asio::awaitable<void> live_adopted(ActiveRunPtr run, os::ProcessIdentity keeper);
  boost::asio::awaitable<void> follow_reports(ActiveRunPtr run, Launched& launched);
  boost::asio::awaitable<void> wait_for_keeper(ActiveRunPtr run);
  void now_runs(ActiveRun& run, pid_t pid, const char* how);
  void note_start_level(ActiveRun& run, const Launched& launched,
                        std::span<const keeper::Report> reports, const std::string& reason);
  void note_level(ActiveRun& run, LevelChange level);
  void note_change(const Change& change);
  void drive(const ActiveRun& run, const os::ProcessIdentity& keeper, bool fresh);
  void release_for_stop(ActiveRun& run);
  boost::asio::awaitable<void> undrive(ActiveRunPtr run);
  void end(const ActiveRunPtr& run, Ending ending);
  void forget(const ActiveRunPtr& run);

  boost::asio::any_io_executor loop_;
  Launcher* launcher_;
  store::StoreThread* store_;
  const os::RunFiles* files_;
  UserLoop drive_;
  Scopes scopes_;
  OnEnd on_end_;
  std::map<RunId, ActiveRunPtr> active_;
  std::multimap<std::string, ActiveRunPtr, std::less<>>
      of_jobs_;  ///< the same by job, oldest first
  std::deque<ActiveRunPtr> queue_;
  std::multiset<std::string> started_jobs_;  ///< those that have a process
  int max_concurrent_ = 1;
  int scheduled_ = 0;  ///< running and not by hand
  bool accepting_ = true;
};

}  // namespace lull::supervisor
