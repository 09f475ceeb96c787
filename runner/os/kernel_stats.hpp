#pragma once

#include "jobs/foreground.hpp"
#include "jobs/result.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// What we use of /proc/stat, proc_stat(5).
struct CpuTimes {
  int cpus = 0;
  Duration idle{0};    ///< with waiting for I/O, summed over the CPUs
  Duration stolen{0};  ///< summed likewise
  int blocked = 0;     ///< threads that wait for I/O at this moment, of everybody
  bool operator==(const CpuTimes&) const = default;
};

Result<CpuTimes> parse_cpu_times(std::string_view text);

/// /sys/block/NAME/stat (Documentation/block/stat), of Linux 4.18 (discards) and later as of those
/// before; flushes since 5.5.
Result<DeviceCounters> parse_disk_counters(std::string_view text);

/// The `total` of the line "some" in a pressure file.
Result<Duration> parse_stall(std::string_view text);

/// What a process and its reaped children made block devices do, /proc/PID/io.
struct ProcessIo {
  Bytes read;
  Bytes written;  ///< made dirty and not dropped again before write-back
  bool operator==(const ProcessIo&) const = default;
};

Result<ProcessIo> parse_process_io(std::string_view text);

/// How many requests a cgroup's io.stat counts of these disks, named by their numbers ("254:0"):
/// "254:0 rbytes=1 wbytes=2 rios=3 wios=4 …".
std::uint64_t parse_group_requests(std::string_view text, const std::set<std::string>& disks);

/// `usage_usec` of a cgroup's cpu.stat.
Result<Duration> parse_cpu_usage(std::string_view text);

/// CPU time in /proc/PID/stat, which the kernel rounds down to clock ticks of 10 ms.
struct ProcessCpu {
  Duration own{0};       ///< of all its threads, the ended ones included
  Duration children{0};  ///< of those that it has waited for, and theirs
  int threads = 0;
  bool operator==(const ProcessCpu&) const = default;
};

Result<ProcessCpu> parse_process_cpu(std::string_view text);

}  // namespace lull::os
