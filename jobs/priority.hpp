#pragma once

#include "jobs/result.hpp"

#include <array>
#include <string>
#include <string_view>
#include <variant>

namespace lull {

/// The I/O scheduling classes of ioprio_set(2), in the kernel's numbering.
enum class IoClass { none = 0, realtime = 1, best_effort = 2, idle = 3 };

/// A class and, for realtime and best-effort, a level from 0 (first) to 7 (last).
struct IoPriority {
  IoClass io_class = IoClass::none;
  int level = 0;
  bool operator==(const IoPriority&) const = default;
};

/// "none", "idle", "best-effort:0".."best-effort:7", "realtime:0".."realtime:7".
Result<IoPriority> parse_io_priority(std::string_view text);
std::string to_string(IoPriority priority);

/// What a job gets while it runs in one foreground state. Its nice value (-20..19) is also its
/// autogroup's nice and, through the kernel's nice-to-weight table, its cgroup's weight.
struct Level {
  int nice = 0;
  IoPriority io;
  bool operator==(const Level&) const = default;
};

/// From this nice value on a job gets only the CPU time that nobody else wants.
inline constexpr int kIdleNice = 19;

/// "nice 15, best-effort:7".
std::string to_string(const Level& level);

/// The other thing that a foreground state may ask for.
struct Pause {
  bool operator==(const Pause&) const = default;
};

/// How much the foreground needs the machine now.
enum class Foreground { idle, light, busy, strained };
std::string_view to_string(Foreground state);

/// Names and meaning from Darwin's setiopolicy_np(3).
enum class Policy { important, standard, utility, throttle, passive };
inline constexpr std::array kPolicies{Policy::important, Policy::standard, Policy::utility,
                                      Policy::throttle, Policy::passive};
std::string_view to_string(Policy policy);
Result<Policy> parse_policy(std::string_view text);

/// The levels of one job, one for each foreground state.
struct LevelTable {
  Level idle;
  Level light;
  Level busy;
  std::variant<Level, Pause> strained;
  bool adapts = true;  ///< false: the job stays at `light` whatever the foreground does
  bool operator==(const LevelTable&) const = default;
};

/// The table of the specification. `important` and `passive` do not adapt.
LevelTable levels_of(Policy policy);

/// For the CPU and for I/O, whichever of the two levels is better.
Level more_favoured(const Level& one, const Level& other);

/// The level, or as much of it as `ceiling` lets a job have: nice and I/O are each held down to it.
Level capped(const Level& level, const Level& ceiling);
/// The same for every level of a table.
LevelTable capped(LevelTable levels, const Level& ceiling);

}  // namespace lull
