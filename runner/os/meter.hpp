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

 private:
  std::vector<pid_t> pids();
  Use sum();

  RunProcesses run_;
  Fd cpu_stat_;
  Fd procs_;
  std::vector<ProcessStat> tree_;
  Use base_;  ///< the sum when the meter was made
  Use use_;
};

/// Reads a small file of the kernel's again through a descriptor that is held open; empty when it
/// cannot be read any more.
std::string_view reread(const Fd& file, std::vector<char>& buffer);

}  // namespace lull::os
