#pragma once

#include "jobs/run.hpp"
#include "jobs/schedule.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lull {

/// What the clocks show at one instant.
struct Clocks {
  TimePoint wall;
  /// How long the machine was awake, over all boots, since lull is on it; stands still in a sleep.
  Duration awake{0};
  bool operator==(const Clocks&) const = default;
};

/// Where one job's schedule stands.
struct ScheduleState {
  Clocks first_seen;     ///< anchors the grid of `every`
  Clocks considered;     ///< every slot up to here has been dealt with, by either clock
  Duration jitter{0};    ///< this job's offset on this machine
  bool at_boot = false;  ///< its run for this boot is still to come
};

/// A slot that has passed and has no run yet.
struct Due {
  TimePoint slot;  ///< for the run of a boot: when it was taken up
  Trigger trigger = Trigger::schedule;
  Clocks considered;     ///< every slot up to here is dealt with by this run
  bool at_boot = false;  ///< and so is this boot
  bool operator==(const Due&) const = default;
};

/// A slot taken up this long after its due instant was missed: the machine was off or asleep.
inline constexpr Duration kOnTime = std::chrono::minutes(1);

/// What is due at `now`: however many slots have passed, the latest of them, as a catch-up when it
/// was missed. The run of a boot is due at once, without jitter, and stands for what was missed
/// too. Nothing when no slot has passed.
std::optional<Due> due_at(const Schedule& schedule, const ScheduleState& state, const Clocks& now,
                          const Zone& zone);

/// When to look again: the due instant of the first slot after those considered. Of an `every` of
/// awake time, when it comes if the machine stays awake.
std::optional<TimePoint> next_due(const Schedule& schedule, const ScheduleState& state,
                                  const Clocks& now, const Zone& zone);

/// Jobs by the instant at which to look at them.
class Agenda {
 public:
  /// Replaces the job's instant; nothing: takes the job off.
  void set(const std::string& job, std::optional<TimePoint> at);
  [[nodiscard]] std::optional<TimePoint> next() const;
  [[nodiscard]] std::optional<TimePoint> at(std::string_view job) const;
  /// Takes off and returns the jobs whose instant has come, earliest first.
  std::vector<std::string> take(TimePoint now);

 private:
  std::set<std::pair<TimePoint, std::string>> by_time_;
  std::map<std::string, TimePoint, std::less<>> by_job_;
};

}  // namespace lull
