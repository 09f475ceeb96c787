#pragma once

#include "jobs/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lull {

/// Time on CLOCK_MONOTONIC: what the loop measures and decides by.
using Instant = Duration;

/// Whether `past` was less than `span` before `now`; -1 was never.
constexpr bool is_within(Instant past, Duration span, Instant now) {
  return past.count() >= 0 && now - past < span;
}

/// A block device's counters since boot (Documentation/admin-guide/iostats).
struct DeviceCounters {
  std::string name;
  std::uint64_t reads = 0;  ///< completed
  std::uint64_t writes = 0;
  std::uint64_t flushes = 0;
  Bytes read{};
  Bytes written{};
  std::uint64_t in_flight = 0;  ///< now
  Duration busy{0};             ///< with at least one request under way
  bool operator==(const DeviceCounters&) const = default;
};

/// Stall times since boot (PSI, Documentation/accounting/psi): some task waited.
struct Stalls {
  Duration cpu{0};
  Duration io{0};
  Duration memory{0};
  bool operator==(const Stalls&) const = default;
};

/// What is outside of the cgroup within which the weights keep our jobs behind all else.
struct Unranked {
  int group = 0;    ///< another number: another group
  Duration cpu{0};  ///< used there since some time, but by no run of a lull's
  bool operator==(const Unranked&) const = default;
};

/// Everything that one look at the machine reads. All but `in_flight` and `waiting` counts up.
struct Sample {
  Instant at{0};
  int cpus = 1;
  Duration idle{0};                   ///< summed over the CPUs, waiting for I/O included
  Duration stolen{0};                 ///< by the hypervisor, summed over the CPUs
  Duration own_cpu{0};                ///< what all runs used, of any lull, and this lull
  std::optional<Unranked> unranked;   ///< none: the weights rank everything, or nothing
  Bytes own_read{};                   ///< what they asked block devices for
  Bytes own_written{};                ///< what they made dirty or wrote
  bool own_io_known = true;           ///< false: not of all runs, some are another user's
  bool others_io = false;             ///< runs of other lulls did I/O since the last, or may have
  double waiting = 0;                 ///< about how many threads of others wait for I/O right now
  std::vector<DeviceCounters> disks;  ///< whole disks: what is stacked on another is not counted
  std::optional<Stalls> all;          ///< of the whole machine; none: the kernel keeps none
  std::optional<Stalls> own;          ///< of the cgroups that hold all our jobs
  Duration own_memory_stall{0};       ///< of those of our jobs' cgroups that are known
  std::optional<Duration> foreground_stall;  ///< for a CPU, of the cgroups that hold the foreground
  bool operator==(const Sample&) const = default;
};

/// How a device was used, by whom.
struct DeviceUse {
  std::string name;
  double busy = 0;     ///< share of the time with a request under way, 0..1
  double foreign = 0;  ///< share of its traffic that is not ours, 0..1
  bool heard = false;  ///< while our jobs were frozen, requests completed: somebody else's
  bool operator==(const DeviceUse&) const = default;
};

/// What the foreground does to the machine, between two samples.
struct Observation {
  Instant at{0};
  int cpus = 1;
  double cpu = 0;      ///< CPUs that the foreground used: 1.4 is 140 %
  double own_cpu = 0;  ///< CPUs that our jobs and we used
  /// CPUs that the foreground used where no weight keeps our jobs behind it.
  double unranked_cpu = 0;
  /// Share of the time in which foreground tasks certainly waited for a CPU, for memory. For a CPU:
  /// what is left of the machine's waiting (PSI) when our jobs' own is taken off, which can only be
  /// too little. Where the waiting of all runs is not known, that of the foreground's own cgroups:
  /// some of it the foreground does to itself. Without either 0, and never more than our jobs' CPU
  /// use: the rest of its waiting is certainly not for us.
  double cpu_stall = 0;
  double memory_stall = 0;
  std::vector<DeviceUse> devices;
  bool others_wait = false;           ///< for a disk, certainly (Waiters)
  std::optional<Duration> user_away;  ///< since the last input; no source: someone is here
  bool operator==(const Observation&) const = default;
};

/// What happened between two samples of which `before` is the older. Foreground CPU is all that was
/// not idle, minus our own: exact where the CPUs were never idle, within a clock tick (10 ms) else.
Observation foreground(const Sample& before, const Sample& now);

}  // namespace lull
