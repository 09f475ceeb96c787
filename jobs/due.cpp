#include "jobs/due.hpp"

#include <algorithm>

namespace lull {

namespace {

bool counts_awake(const Schedule& schedule) {
  return schedule.every && schedule.every->awake && schedule.every->period > Duration::zero();
}

/// The slot of the awake grid that is `steps` after the one at `since` or before.
Duration awake_slot(const Schedule& schedule, const ScheduleState& state, Duration since,
                    int steps) {
  const Duration period = schedule.every->period;
  const Duration ran = std::max(since - state.first_seen.awake, Duration::zero());
  return state.first_seen.awake + (ran / period + steps) * period;
}

/// The latest slot of either kind, with what has been dealt with when it has.
struct Passed {
  TimePoint slot;
  Duration late{0};  ///< since it was due
  Clocks considered;
};

std::optional<Passed> passed_by_wall(const Schedule& schedule, const ScheduleState& state,
                                     const Clocks& now, const Zone& zone) {
  const auto slot = last_slot(schedule, state.considered.wall, now.wall - state.jitter,
                              state.first_seen.wall, zone);
  if (!slot) return std::nullopt;
  return Passed{*slot, now.wall - (*slot + state.jitter), {*slot, state.considered.awake}};
}

std::optional<Passed> passed_by_awake(const Schedule& schedule, const ScheduleState& state,
                                      const Clocks& now) {
  if (!counts_awake(schedule)) return std::nullopt;
  const Duration slot = awake_slot(schedule, state, now.awake - state.jitter, 0);
  if (slot <= state.considered.awake || slot == state.first_seen.awake) return std::nullopt;
  return Passed{now.wall - (now.awake - slot),
                now.awake - (slot + state.jitter),
                {state.considered.wall, slot}};
}

}  // namespace

std::optional<Due> due_at(const Schedule& schedule, const ScheduleState& state, const Clocks& now,
                          const Zone& zone) {
  auto passed = passed_by_wall(schedule, state, now, zone);
  if (!passed) passed = passed_by_awake(schedule, state, now);
  if (state.at_boot) {
    return Due{now.wall, Trigger::schedule, passed ? passed->considered : state.considered, true};
  }
  if (!passed) return std::nullopt;
  return Due{passed->slot, passed->late < kOnTime ? Trigger::schedule : Trigger::catch_up,
             passed->considered};
}

std::optional<TimePoint> next_due(const Schedule& schedule, const ScheduleState& state,
                                  const Clocks& now, const Zone& zone) {
  if (state.at_boot) return state.considered.wall;
  if (counts_awake(schedule)) {
    const Duration slot = awake_slot(schedule, state, state.considered.awake, 1);
    return now.wall + (slot + state.jitter - now.awake);
  }
  const auto slot = next_slot(schedule, state.considered.wall, state.first_seen.wall, zone);
  if (!slot) return std::nullopt;
  return *slot + state.jitter;
}

void Agenda::set(const std::string& job, std::optional<TimePoint> at) {
  if (const auto found = by_job_.find(job); found != by_job_.end()) {
    by_time_.erase({found->second, job});
    by_job_.erase(found);
  }
  if (!at) return;
  by_time_.emplace(*at, job);
  by_job_.emplace(job, *at);
}

std::optional<TimePoint> Agenda::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

std::optional<TimePoint> Agenda::at(std::string_view job) const {
  const auto found = by_job_.find(job);
  if (found == by_job_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Agenda::take(TimePoint now) {
  std::vector<std::string> jobs;
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    jobs.push_back(by_time_.begin()->second);
    by_job_.erase(jobs.back());
    by_time_.erase(by_time_.begin());
  }
  return jobs;
}

}  // namespace lull
