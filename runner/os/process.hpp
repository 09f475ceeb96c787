#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/run_file.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// What we use of /proc/PID/stat, proc_pid_stat(5).
struct ProcessStat {
  pid_t pid = 0;
  std::string comm;  ///< may hold blanks, brackets and control characters
  char state = '?';
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  int nice = 0;                  ///< the main thread's
  std::uint64_t start_time = 0;  ///< clock ticks since boot
  bool operator==(const ProcessStat&) const = default;
};

Result<ProcessStat> parse_process_stat(std::string_view text);

/// The nice value in "/autogroup-6 nice 19"; nothing in the empty text of a process that is in no
/// autogroup, sched(7).
Result<std::optional<int>> parse_autogroup(std::string_view text);

/// The path in the unified hierarchy ("0::/…") of /proc/PID/cgroup, cgroups(7). Where that is only
/// "/", because the machine still uses version 1, the path in the hierarchy of `cpu` if longer.
Result<std::string> parse_process_cgroup(std::string_view text);

/// The real uid in /proc/PID/status.
Result<uid_t> parse_process_uid(std::string_view text);

Result<ProcessStat> read_process_stat(pid_t pid);
/// Nothing too where the kernel has no autogroups.
Result<std::optional<int>> read_autogroup(pid_t pid);
Result<std::string> read_process_cgroup(pid_t pid);
Result<uid_t> read_process_uid(pid_t pid);

/// Whether one of these failed because the process is not there (any more).
bool is_gone(const Error& error);

/// All processes that /proc shows us, in the order of their pids; with its option `hidepid` that is
/// only our own.
Result<std::vector<pid_t>> all_processes();

/// The direct children at this moment; none if the process is gone.
std::vector<pid_t> children_of(pid_t pid);

/// Its threads at this moment, itself the first; none if the process is gone.
std::vector<pid_t> threads_of(pid_t pid);

/// The only child of a keeper, which is its job's main process; 0 when it has none.
pid_t main_child_of(pid_t pid);

/// Which process `pid` is now.
Result<ProcessIdentity> identify_process(pid_t pid);

/// A pidfd of exactly this process; empty if it is gone, also where another has its pid now.
Fd open_process(const ProcessIdentity& process);

}  // namespace lull::os
