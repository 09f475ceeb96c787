#include "jobs/schedule.hpp"

#include "jobs/stable_hash.hpp"

#include <algorithm>
#include <utility>

namespace lull {
namespace {

/// Calendars have no slots before or after; keeps the arithmetic below from overflowing.
constexpr TimePoint kEarliest = std::chrono::sys_days(std::chrono::year(1969) / 1 / 1);
constexpr TimePoint kLatest = std::chrono::sys_days(std::chrono::year(2201) / 1 / 1);

std::optional<TimePoint> sooner(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

bool has_grid(const Schedule& schedule) {
  return schedule.every && !schedule.every->awake && schedule.every->period > Duration::zero();
}

/// How many periods of the grid have begun at `instant`.
std::int64_t steps_until(const Every& every, TimePoint instant, TimePoint first_seen) {
  if (instant < first_seen) return 0;
  return (instant - first_seen) / every.period;
}

/// A period too long for the calendar's end never comes.
std::optional<TimePoint> grid_slot(const Every& every, TimePoint first_seen, std::int64_t step) {
  if (step > (kLatest - first_seen) / every.period) return std::nullopt;
  return first_seen + step * every.period;
}

/// The latest slot of a calendar in (after, until]. Since next() only looks forward, the interval
/// is halved: one call tells which half has the last slot, so that some fifty find it among
/// millions.
std::optional<TimePoint> last_of(const Calendar& calendar, TimePoint after, TimePoint until,
                                 const Zone& zone) {
  auto latest = next(calendar, after, zone);
  if (!latest || *latest > until) return std::nullopt;
  while (*latest < until) {
    const TimePoint middle = *latest + (until - *latest) / 2;
    const auto found = next(calendar, middle, zone);
    if (found && *found <= until) {
      latest = found;
    } else {
      until = middle;
    }
  }
  return latest;
}

std::optional<TimePoint> last_of(const Every& every, TimePoint after, TimePoint until,
                                 TimePoint first_seen) {
  const std::int64_t step = steps_until(every, until, first_seen);
  const auto slot = step > 0 ? grid_slot(every, first_seen, step) : std::nullopt;
  return slot && *slot > after ? slot : std::nullopt;
}

}  // namespace

bool runs_at_boot(const Schedule& schedule) {
  return std::any_of(schedule.at.begin(), schedule.at.end(),
                     [](const Calendar& calendar) { return calendar.at_boot; });
}

Schedule draw(Schedule schedule, std::string_view machine_id, std::string_view job) {
  for (Calendar& calendar : schedule.at)
    calendar = draw(std::move(calendar), machine_id, job);
  return schedule;
}

std::optional<TimePoint> next_slot(const Schedule& schedule, TimePoint after, TimePoint first_seen,
                                   const Zone& zone) {
  const TimePoint from = std::clamp(after, kEarliest, kLatest);
  std::optional<TimePoint> slot;
  for (const Calendar& calendar : schedule.at)
    slot = sooner(slot, next(calendar, from, zone));
  if (has_grid(schedule)) {
    const std::int64_t step = steps_until(*schedule.every, from, first_seen) + 1;
    slot = sooner(slot, grid_slot(*schedule.every, first_seen, step));
  }
  return slot;
}

std::optional<TimePoint> last_slot(const Schedule& schedule, TimePoint after, TimePoint until,
                                   TimePoint first_seen, const Zone& zone) {
  const TimePoint from = std::clamp(after, kEarliest, kLatest);
  const TimePoint to = std::clamp(until, kEarliest, kLatest);
  std::optional<TimePoint> slot;
  for (const Calendar& calendar : schedule.at)
    slot = std::max(slot, last_of(calendar, from, to, zone));  // nothing is less than any slot
  if (has_grid(schedule)) {
    slot = std::max(slot, last_of(*schedule.every, from, to, first_seen));
  }
  return slot;
}

Duration jitter_offset(Duration jitter, std::string_view machine_id, std::string_view job) {
  if (jitter <= Duration::zero()) return Duration::zero();
  const auto count = static_cast<std::uint64_t>(jitter.count());
  return Duration(static_cast<std::int64_t>(stable_hash(machine_id, job) % count));
}

}  // namespace lull
