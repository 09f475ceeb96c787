#pragma once

#include "jobs/units.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/run_processes.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lull::os {

/// Use that only grows.
struct Use {
  Duration cpu{0};
  Bytes read{};
  Bytes written{};
  bool io_known =
      true;  ///< false: some of its processes are another user's, whose I/O is not ours to see
  bool operator==(const Use&) const = default;
};

/// Whether a disk was used between two looks.
inline bool did_io(const Use& before, const Use& now) {
  return now.read != before.read || now.written != before.written;
}

/// Adds up what the processes of one run use: CPU from its v2 cgroup where it has one, and from
/// each process outside of it; I/O from each process, where we may look (the same user's, or as
/// root).
class RunMeter {
 public:
  explicit RunMeter(RunProcesses run);

  /// Reads, and returns the whole use since the meter was made. A process that came and went
  /// between two looks is in the account of its parent, which waited for it.
  const Use& read();
  /// The same as of the last read.
  [[nodiscard]] const Use& use() const { return use_; }

  /// The tree as the last read saw it; empty where the run has a v2 cgroup of its own.
  [[nodiscard]] const std::vector<ProcessStat>& tree() const { return tree_; }
  [[nodiscard]] const RunProcesses& run() const { return run_; }
  /// Processes of the run that are not in its v2 cgroup, as the last reads found them.
  [[nodiscard]] std::vector<pid_t> outside() const;
  /// The processes that the last read counted, the keeper among them.
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  void find_pids();
  void find_strays();
  Use sum();

  RunProcesses run_;
  Fd cpu_stat_;
  Fd procs_;
  std::string group_;  ///< that group's name
  std::vector<pid_t> pids_;
  std::vector<ProcessStat> tree_;
  /// Processes that are not in the group itself, with the CPU time that each had when it was found;
  /// none for one in a group below, whose use is in the group's.
  std::map<pid_t, std::optional<Duration>> strays_;
  unsigned looks_ = 0;
  Use base_;  ///< the sum when the meter was made
  Use use_;
};

}  // namespace lull::os
