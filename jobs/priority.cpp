#include "jobs/priority.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace lull {
namespace {

constexpr int kLastIoLevel = 7;
constexpr IoPriority kIoIdle{IoClass::idle, 0};

constexpr IoPriority best_effort(int level) { return {IoClass::best_effort, level}; }

/// The level in "best-effort:4" once `prefix` is known to fit.
Result<int> parse_io_level(std::string_view text, std::string_view prefix) {
  const auto digits = text.substr(prefix.size());
  int level = -1;
  const auto* const end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, level);
  if (parsed.ec == std::errc{} && parsed.ptr == end && level >= 0 && level <= kLastIoLevel) {
    return level;
  }
  return Error('"' + std::string(text) + "\" has no level from 0 (first) to 7 (last): write \"" +
               std::string(prefix) + "4\"");
}

Result<IoPriority> parse_levelled(std::string_view text, IoClass io_class,
                                  std::string_view prefix) {
  const auto level = parse_io_level(text, prefix);
  if (!level) return level.error();
  return IoPriority{io_class, *level};
}

/// Where the kernel would serve it, smaller being earlier. A process without an I/O priority of its
/// own is best-effort at (nice + 20) / 5, see ioprio_set(2).
int io_rank(IoPriority io, int nice) {
  switch (io.io_class) {
    case IoClass::realtime:
      return io.level;
    case IoClass::none:
      return 8 + (nice + 20) / 5;
    case IoClass::best_effort:
      return 8 + io.level;
    case IoClass::idle:
      return 16;
  }
  return 16;
}

LevelTable unadapted(Level level) { return {level, level, level, level, false}; }

}  // namespace

Result<IoPriority> parse_io_priority(std::string_view text) {
  if (text == "none") return IoPriority{};
  if (text == "idle") return kIoIdle;
  // A level that is missing altogether is answered like one that is out of range.
  if (text == "best-effort")
    return parse_levelled("best-effort:", IoClass::best_effort, "best-effort:");
  if (text == "realtime") return parse_levelled("realtime:", IoClass::realtime, "realtime:");
  if (text.starts_with("best-effort:"))
    return parse_levelled(text, IoClass::best_effort, "best-effort:");
  if (text.starts_with("realtime:")) return parse_levelled(text, IoClass::realtime, "realtime:");
  return Error("unknown I/O priority \"" + std::string(text) +
               "\": write \"best-effort:0\" to \"best-effort:7\", \"idle\", \"none\" or "
               "\"realtime:0\" to \"realtime:7\"");
}

std::string to_string(IoPriority priority) {
  switch (priority.io_class) {
    case IoClass::none:
      return "none";
    case IoClass::realtime:
      return "realtime:" + std::to_string(priority.level);
    case IoClass::best_effort:
      return "best-effort:" + std::to_string(priority.level);
    case IoClass::idle:
      return "idle";
  }
  return "none";
}

std::string to_string(const Level& level) {
  return "nice " + std::to_string(level.nice) + ", " + to_string(level.io);
}

std::string_view to_string(Foreground state) {
  switch (state) {
    case Foreground::idle:
      return "idle";
    case Foreground::light:
      return "light";
    case Foreground::busy:
      return "busy";
    case Foreground::strained:
      return "strained";
  }
  return "idle";
}

std::string_view to_string(Policy policy) {
  switch (policy) {
    case Policy::important:
      return "important";
    case Policy::standard:
      return "standard";
    case Policy::utility:
      return "utility";
    case Policy::throttle:
      return "throttle";
    case Policy::passive:
      return "passive";
  }
  return "throttle";
}

Result<Policy> parse_policy(std::string_view text) {
  for (const auto policy : kPolicies) {
    if (to_string(policy) == text) return policy;
  }
  return Error("unknown policy \"" + std::string(text) +
               "\": write important, standard, utility, throttle or passive");
}

LevelTable levels_of(Policy policy) {
  switch (policy) {
    case Policy::important:
    case Policy::passive:
      return unadapted({0, best_effort(4)});
    case Policy::standard:
      return {
          {0, best_effort(4)}, {0, best_effort(4)}, {5, best_effort(6)}, Level{10, best_effort(7)}};
    case Policy::utility:
      return {{5, best_effort(4)}, {10, best_effort(6)}, {19, kIoIdle}, Level{19, kIoIdle}};
    case Policy::throttle:
      return {{5, best_effort(5)}, {15, best_effort(7)}, {19, kIoIdle}, Pause{}};
  }
  return {};
}

Level more_favoured(const Level& one, const Level& other) {
  const bool io = io_rank(other.io, other.nice) < io_rank(one.io, one.nice);
  return {std::min(one.nice, other.nice), io ? other.io : one.io};
}

Level capped(const Level& level, const Level& ceiling) {
  Level result = level;
  result.nice = std::max(level.nice, ceiling.nice);
  if (io_rank(level.io, result.nice) < io_rank(ceiling.io, ceiling.nice)) result.io = ceiling.io;
  return result;
}

LevelTable capped(LevelTable levels, const Level& ceiling) {
  levels.idle = capped(levels.idle, ceiling);
  levels.light = capped(levels.light, ceiling);
  levels.busy = capped(levels.busy, ceiling);
  if (auto* const strained = std::get_if<Level>(&levels.strained)) {
    *strained = capped(*strained, ceiling);
  }
  return levels;
}

}  // namespace lull
