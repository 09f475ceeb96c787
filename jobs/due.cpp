#include "jobs/due.hpp"

namespace lull {

std::optional<Due> due_at(const Schedule& schedule, const ScheduleState& state, TimePoint now,
                          const Zone& zone) {
  const auto slot =
      last_slot(schedule, state.considered, now - state.jitter, state.first_seen, zone);
  if (!slot) return std::nullopt;
  const bool on_time = now - (*slot + state.jitter) < kOnTime;
  return Due{*slot, on_time ? Trigger::schedule : Trigger::catch_up};
}

std::optional<TimePoint> next_due(const Schedule& schedule, const ScheduleState& state,
                                  const Zone& zone) {
  const auto slot = next_slot(schedule, state.considered, state.first_seen, zone);
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
