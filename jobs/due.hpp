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

/// Where one job's schedule stands.
struct ScheduleState {
  TimePoint first_seen;
  TimePoint considered;  ///< every slot up to here has been dealt with
  Duration jitter{0};    ///< this job's offset on this machine
};

/// A slot that has passed and has no run yet.
struct Due {
  TimePoint slot;
  Trigger trigger = Trigger::schedule;
  bool operator==(const Due&) const = default;
};

/// A slot taken up this long after its due instant was missed: the machine was off or asleep.
inline constexpr Duration kOnTime = std::chrono::minutes(1);

/// What is due at `now`: however many slots have passed, the latest of them, as a catch-up when it
/// was missed. Nothing when no slot has passed.
std::optional<Due> due_at(const Schedule& schedule, const ScheduleState& state, TimePoint now,
                          const Zone& zone);

/// When to look again: the due instant of the first slot after those considered.
std::optional<TimePoint> next_due(const Schedule& schedule, const ScheduleState& state,
                                  const Zone& zone);

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
