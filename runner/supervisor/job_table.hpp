#pragma once

#include "jobs/due.hpp"
#include "jobs/spec.hpp"
#include "runner/store/store.hpp"
#include "runner/supervisor/load.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::supervisor {

/// One job as the supervisor knows it.
struct JobEntry {
  std::string name;
  std::shared_ptr<const JobSpec> spec;  ///< the last good definition; null: there never was one
  std::vector<config::Diagnostic> problems;  ///< of the file as it is now
  Zone zone;
  Schedule slots;  ///< the definition's schedule as it is drawn for this machine and job
  ScheduleState schedule;
  std::optional<TimePoint> last_success;
  std::optional<TimePoint> last_run;  ///< when its last run that has ended began

  /// Whether slots of this job are to be taken up.
  [[nodiscard]] bool scheduled() const { return spec && spec->enabled && spec->schedule; }
};

/// What a reload changed.
struct TableChanges {
  std::vector<std::string> redefined;    ///< new ones included
  std::vector<std::string> added;        ///< not seen since the supervisor's start
  std::vector<std::string> rescheduled;  ///< a new [schedule], or newly enabled
  std::vector<std::string> removed;
};

/// All jobs by name. A file that went bad leaves the last good definition in force.
class JobTable {
 public:
  JobTable(Zone machine_zone, std::string machine_id, std::string boot_id)
      : machine_zone_(std::move(machine_zone)),
        machine_id_(std::move(machine_id)),
        boot_id_(std::move(boot_id)) {}

  /// Takes over what was loaded.
  TableChanges update(const Loaded& loaded);
  /// For the jobs that have no zone of their own.
  void set_machine_zone(const Zone& zone);
  void set_clock(std::string_view name, const store::JobClock& clock);
  /// Of the jobs that `job` comes after, those that have not succeeded as a run of `slot` asks
  /// (jobs/after.hpp).
  [[nodiscard]] std::vector<std::string> to_succeed(const JobEntry& job, TimePoint slot) const;
  [[nodiscard]] std::optional<TimePoint> last_success(std::string_view job) const;
  [[nodiscard]] const std::string& boot_id() const { return boot_id_; }

  [[nodiscard]] JobEntry* find(std::string_view name);
  [[nodiscard]] const std::map<std::string, JobEntry, std::less<>>& all() const { return jobs_; }

 private:
  void take_over(const LoadedJob& loaded, TableChanges& changes);
  Zone zone_of(const JobSpec& spec) const;

  Zone machine_zone_;
  std::string machine_id_;
  std::string boot_id_;
  std::map<std::string, JobEntry, std::less<>> jobs_;
};

}  // namespace lull::supervisor
