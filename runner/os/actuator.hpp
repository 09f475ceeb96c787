#pragma once

#include "jobs/capabilities.hpp"
#include "jobs/run.hpp"
#include "runner/os/run_processes.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace lull::os {

/// Moves one running job between levels: nice (where it may come back), I/O priority, autogroup and
/// the weights of its cgroups, each on every thread of the whole tree; where autogroups decide,
/// SCHED_IDLE too (decision 0008). A thread whose value is not
/// what was last set here was changed by somebody else, the job itself or another program: that
/// value is theirs, and lull does not fight for it.
class Actuator {
 public:
  /// `level` is what the run was given last. One that has only just started had `first_nice`, and
  /// what its main process has instead of these it gave itself; of one that somebody else drove
  /// (none), what it has now counts as set by us. An autogroup of a run that has only just started
  /// and is not at `level` is one that the kernel refused.
  Actuator(RunProcesses run, Capabilities can, const Level& level, std::optional<int> first_nice);

  /// Sets `level` and reads back what the kernel has then.
  Applied apply(const Level& level);

  /// Takes care of sessions that the job made since, which begin with an autogroup of nice 0, and
  /// of autogroups that the kernel refused (EAGAIN: one unprivileged write in 100 ms).
  void look_after_autogroups(const std::vector<ProcessStat>& tree);
  /// Some are left to be tried again.
  [[nodiscard]] bool awaits_autogroup() const { return !refused_.empty(); }

  /// What the kernel has now.
  [[nodiscard]] Applied read_back() const;

 private:
  void set_threads(pid_t process, std::set<pid_t>& done);
  void set_thread(pid_t thread, const Level& level);
  void set_policy(pid_t thread, const Level& level);
  void set_groups(const Level& level) const;
  void set_autogroup(const ProcessStat& process);

  RunProcesses run_;
  Capabilities can_;
  Level set_;                        ///< what was set last
  Level asked_;                      ///< what is being set
  std::map<pid_t, int> autogroups_;  ///< by session: what was set last
  std::set<pid_t> refused_;          ///< sessions to be tried again
  bool made_idle_ = false;           ///< some thread's policy was changed
  /// What somebody else, the job itself too, gave a thread.
  std::map<pid_t, int> their_nice_;
  std::map<pid_t, IoPriority> their_io_;
  bool autogroup_is_theirs_ = false;
};

/// What a group weighs beside others, for the CPU and for I/O: a run's own, or one of lull's that
/// holds several runs and weighs as much as the most favoured of them.
void set_group_weight(const std::string& folder, const Level& level);

}  // namespace lull::os
