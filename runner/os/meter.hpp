#pragma once

#include "jobs/units.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/run_processes.hpp"

#include <vector>

namespace lull::os {

/// Use that only grows.
struct Use {
  Duration cpu{0};
  Bytes read{};
  Bytes written{};
  bool operator==(const Use&) const = default;
};

/// Adds up what the processes of one run use: CPU from its v2 cgroup where it has one, else from
/// each process; I/O from each process, where we may look (the same user's, or as root).
class RunMeter {
 public:
  explicit RunMeter(RunProcesses run);

  /// Reads, and returns the whole use since the meter was made. A process that came and went
  /// between two looks is in the account of its parent, which waited for it.
  const Use& read();

  /// The tree as the last read saw it; empty where the run has a v2 cgroup of its own.
  [[nodiscard]] const std::vector<ProcessStat>& tree() const { return tree_; }
  [[nodiscard]] const RunProcesses& run() const { return run_; }
  /// The processes that the last read counted, the keeper among them.
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  void find_pids();
  Use sum();

  RunProcesses run_;
  Fd cpu_stat_;
  Fd procs_;
  std::vector<pid_t> pids_;
  std::vector<ProcessStat> tree_;
  Use base_;  ///< the sum when the meter was made
  Use use_;
};

}  // namespace lull::os
