#pragma once

#include "jobs/spawn_plan.hpp"
#include "jobs/units.hpp"
#include "jobs/wakes.hpp"
#include "jobs/zone.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace lull::os {

/// CLOCK_REALTIME.
TimePoint now();

/// CLOCK_BOOTTIME and CLOCK_MONOTONIC.
Uptime uptime();

/// Names this boot: /proc/sys/kernel/random/boot_id.
Result<std::string> boot_id();

/// Names this machine over boots (machine-id(5)); empty where there is none.
std::string machine_id();

/// The zone that the machine's own clocks show: $TZ, /etc/localtime, /etc/timezone, else UTC.
Zone machine_zone();

/// Our own environment.
Environment own_environment();

/// The file that we were executed from.
Result<std::string> own_program();

struct FileLimit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

/// Raises RLIMIT_NOFILE to its hard limit, since each run holds a few descriptors, and returns what
/// it was: that is what jobs get.
FileLimit raise_file_limit();

/// Gives the kernel back what malloc keeps of freed memory: after work that happens rarely and
/// needs much at once, such as reading all jobs. Takes well under a millisecond for a heap of ours.
void give_back_memory();

/// The lowest nice value that this process may set: -20 with CAP_SYS_NICE, else from RLIMIT_NICE
/// (getrlimit(2)), but never worse than where it is now.
int lowest_nice();
/// The lowest nice value that may be set again after a higher one: -20 with CAP_SYS_NICE, else
/// 20 − RLIMIT_NICE; 20, which is none at all, where that limit is 0.
int returnable_nice();
/// Whether it may set the realtime I/O class (ioprio_set(2): CAP_SYS_ADMIN or CAP_SYS_NICE).
bool may_use_realtime_io();

/// Makes `path` and its missing parents, the last with `mode`. Symbolic links are not followed in
/// its last component.
Result<void> make_folders(const std::string& path, unsigned mode);

}  // namespace lull::os
