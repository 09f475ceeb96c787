#include "runner/supervisor/followers.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

namespace lull::supervisor {
namespace {

RunRecord run_of(const std::string& job, TimePoint slot) {
  RunRecord run;
  run.job = job;
  run.slot = slot;
  return run;
}

}  // namespace

void Followers::look() {
  if (stopped_) return;
  for (const auto& [name, job] : jobs_->all()) {
    if (const auto slot = due_since(job)) record(name, *slot);
  }
}

/// When the last of the others succeeded.
std::optional<TimePoint> Followers::due_since(const JobEntry& job) const {
  if (!job.spec || !job.spec->enabled || job.spec->schedule || job.spec->when.after.empty()) {
    return std::nullopt;
  }
  if (runs_->of_job(job.name)) return std::nullopt;
  std::optional<TimePoint> latest;
  for (const std::string& other : job.spec->when.after) {
    const auto success = jobs_->last_success(other);
    if (!success) return std::nullopt;
    latest = std::max(latest, success);
  }
  return jobs_->to_succeed(job, *latest).empty() ? latest : std::nullopt;
}

/// A second run for one success is not made: the store has one run at most for a slot of a job.
void Followers::record(const std::string& job, TimePoint slot) {
  const auto run = std::make_shared<std::optional<RunId>>();
  store_->submit(
      [run, job, slot](store::Store& store) {
        *run = store.add_run(run_of(job, slot), store::Owner::daemon);
      },
      [this, run, job, slot](const std::optional<Error>& error) {
        if (error) {
          spdlog::error("job={} not recorded, so not started: {}", job, error->what());
        } else if (*run) {
          start(job, slot, **run);
        }
      });
}

void Followers::start(const std::string& job, TimePoint slot, RunId run) {
  const JobEntry* entry = jobs_->find(job);
  if (stopped_ || entry == nullptr || !entry->spec) return;  // the next start takes it up
  RunRecord record = run_of(job, slot);
  record.id = run;
  runs_->add(std::move(record), entry->spec, false);
}

}  // namespace lull::supervisor
