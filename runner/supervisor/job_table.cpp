#include "runner/supervisor/job_table.hpp"

#include "jobs/after.hpp"

#include <algorithm>

namespace lull::supervisor {

TableChanges JobTable::update(const Loaded& loaded) {
  TableChanges changes;
  for (const LoadedJob& job : loaded.jobs)
    take_over(job, changes);
  std::erase_if(jobs_, [&](const auto& entry) {
    const bool gone = std::none_of(loaded.jobs.begin(), loaded.jobs.end(),
                                   [&](const auto& job) { return job.name == entry.first; });
    if (gone) changes.removed.push_back(entry.first);
    return gone;
  });
  return changes;
}

void JobTable::take_over(const LoadedJob& loaded, TableChanges& changes) {
  const auto [found, is_new] = jobs_.try_emplace(loaded.name);
  JobEntry& entry = found->second;
  entry.name = loaded.name;
  entry.problems = loaded.diagnostics;
  if (is_new) changes.added.push_back(loaded.name);
  if (!loaded.spec || (entry.spec && *entry.spec == *loaded.spec)) return;
  // One that was broken until now goes on where it was when it was read first.
  const bool was_defined = entry.spec != nullptr;
  const bool was_scheduled = entry.scheduled();
  const bool same_schedule =
      was_scheduled && loaded.spec->enabled && entry.spec->schedule == loaded.spec->schedule;
  entry.spec = loaded.spec;
  changes.redefined.push_back(loaded.name);
  if (was_defined && !same_schedule) changes.rescheduled.push_back(loaded.name);
  entry.zone = zone_of(*entry.spec);
  if (!entry.spec->schedule) return;
  entry.slots = draw(*entry.spec->schedule, machine_id_, entry.name);
  entry.schedule.jitter = jitter_offset(entry.spec->schedule->jitter, machine_id_, entry.name);
}

void JobTable::set_machine_zone(const Zone& zone) {
  machine_zone_ = zone;
  for (auto& [name, entry] : jobs_) {
    if (entry.spec) entry.zone = zone_of(*entry.spec);
  }
}

void JobTable::set_clock(std::string_view name, const store::JobClock& clock) {
  if (JobEntry* entry = find(name); entry != nullptr) {
    entry->schedule.first_seen = clock.first_seen;
    entry->schedule.considered = clock.considered;
    entry->schedule.at_boot = runs_at_boot(entry->slots) && clock.boot != boot_id_;
  }
}

std::vector<std::string> JobTable::to_succeed(const JobEntry& job, TimePoint slot) const {
  std::vector<std::string> others;
  if (!job.spec || job.spec->when.after.empty()) return others;
  const auto schedule = job.spec->schedule ? std::optional(job.slots) : std::nullopt;
  const TimePoint since =
      successes_count_from(schedule, slot, job.last_run, job.schedule.first_seen.wall, job.zone);
  for (const std::string& other : job.spec->when.after) {
    const auto success = last_success(other);
    if (!success || *success <= since) others.push_back(other);
  }
  return others;
}

std::optional<TimePoint> JobTable::last_success(std::string_view job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? std::nullopt : found->second.last_success;
}

JobEntry* JobTable::find(std::string_view name) {
  const auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : &found->second;
}

Zone JobTable::zone_of(const JobSpec& spec) const {
  if (!spec.schedule || spec.schedule->timezone.empty()) return machine_zone_;
  const auto zone = Zone::find(spec.schedule->timezone);
  return zone ? *zone : machine_zone_;  // the zone was checked when the file was read
}

}  // namespace lull::supervisor
