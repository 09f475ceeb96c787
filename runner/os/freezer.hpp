#pragma once

#include "jobs/result.hpp"
#include "runner/os/run_processes.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// Makes a run stand still and go on: through its cgroup (v2 cgroup.freeze, else v1 freezer.state),
/// which the job cannot notice, else SIGSTOP and SIGCONT over its tree, which its parent can.
/// A frozen run is thawed by its keeper if whoever froze it dies (tell_keeper).
class Freezer {
 public:
  enum class Way { v2, v1, signals };

  /// Finds the way that works for this run; `by_signals` asks for SIGSTOP (`pause = "stop"`).
  Freezer(RunProcesses run, bool by_signals);

  /// Returns at once; the kernel may take some milliseconds more (is_frozen). `outside` are
  /// processes of the run that are not in its cgroup, as far as that is known: stopped by SIGSTOP.
  void freeze(const std::vector<pid_t>& outside = {});
  void thaw();
  /// Whether the kernel says that everything stands still. A process that waits for the disk in a
  /// system call stands still only when that is done.
  [[nodiscard]] bool is_frozen() const;

  [[nodiscard]] Way way() const { return way_; }
  /// "cgroup.freeze", "freezer.state" or "SIGSTOP".
  [[nodiscard]] std::string_view knob() const;

 private:
  void find_way();
  void write(const char* text) const;
  void stop(const ProcessStat& process);
  void go_on();

  RunProcesses run_;
  bool by_signals_;
  Way way_ = Way::signals;
  std::string folder_;
  std::vector<ProcessStat> stopped_;  ///< by SIGSTOP, parents before their children
};

/// Tells a run's keeper that we drive it: it thaws the run when we are gone, however we go.
void tell_keeper(const ProcessIdentity& keeper);

}  // namespace lull::os
