#include "runner/supervisor/job_table.hpp"

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
  const bool was_scheduled = entry.scheduled();
  const bool same_schedule =
      was_scheduled && loaded.spec->enabled && entry.spec->schedule == loaded.spec->schedule;
  entry.spec = loaded.spec;
  changes.redefined.push_back(loaded.name);
  if (!same_schedule && !is_new) changes.rescheduled.push_back(loaded.name);
  if (!entry.spec->schedule) return;
  entry.zone = zone_of(*entry.spec);
  entry.slots = draw(*entry.spec->schedule, machine_id_, entry.name);
  entry.schedule.jitter = jitter_offset(entry.spec->schedule->jitter, machine_id_, entry.name);
}

void JobTable::set_clock(std::string_view name, const store::JobClock& clock) {
  if (JobEntry* entry = find(name); entry != nullptr) {
    entry->schedule.first_seen = clock.first_seen;
    entry->schedule.considered = clock.considered;
    entry->schedule.at_boot = runs_at_boot(entry->slots) && clock.boot != boot_id_;
  }
}

JobEntry* JobTable::find(std::string_view name) {
  const auto found = jobs_.find(name);
  return found == jobs_.end() ? nullptr : &found->second;
}

Zone JobTable::zone_of(const JobSpec& spec) const {
  if (spec.schedule->timezone.empty()) return machine_zone_;
  const auto zone = Zone::find(spec.schedule->timezone);
  return zone ? *zone : machine_zone_;  // the zone was checked when the file was read
}

}  // namespace lull::supervisor
