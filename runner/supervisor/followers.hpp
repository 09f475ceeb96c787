#pragma once

#include "runner/store/store_thread.hpp"
#include "runner/supervisor/job_table.hpp"
#include "runner/supervisor/runs.hpp"

#include <optional>
#include <string>

namespace lull::supervisor {

/// The jobs without a schedule that come after others: due as soon as all of those have succeeded
/// since their own last run.
class Followers {
 public:
  /// All must outlive it.
  Followers(JobTable& jobs, Runs& runs, store::StoreThread& store)
      : jobs_(&jobs), runs_(&runs), store_(&store) {}

  /// To be called when a run has ended and when jobs were defined: records those that are due, each
  /// success only once, and hands them to the runs.
  void look();
  void stop() { stopped_ = true; }

 private:
  [[nodiscard]] std::optional<TimePoint> due_since(const JobEntry& job) const;
  void record(const std::string& job, TimePoint slot);
  void start(const std::string& job, TimePoint slot, RunId run);

  JobTable* jobs_;
  Runs* runs_;
  store::StoreThread* store_;
  bool stopped_ = false;
};

}  // namespace lull::supervisor
