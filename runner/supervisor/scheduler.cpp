#include "runner/supervisor/scheduler.hpp"

#include "runner/os/machine.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace lull::supervisor {
namespace {

/// After a slot could not be recorded (a full disk), when to try again.
constexpr std::chrono::seconds kRecordAgain{30};

RunRecord run_of(const std::string& job, const Due& due) {
  RunRecord run;
  run.job = job;
  run.slot = due.slot;
  run.trigger = due.trigger;
  return run;
}

Ending overlap_ending(TimePoint now) {
  Ending ending;
  ending.at = now;
  ending.outcome = Outcome::skipped;
  ending.detail = "the run before it was still going on";
  return ending;
}

/// Whether the job's last run, which somebody else started, has done what the slot was for.
bool stands_for(const JobEntry& job, TimePoint slot) {
  return job.last_run && *job.last_run >= slot && job.last_success &&
         *job.last_success >= *job.last_run;
}

}  // namespace

Scheduler::Scheduler(const boost::asio::any_io_executor& loop, JobTable& jobs, Runs& runs,
                     store::StoreThread& store)
    : jobs_(&jobs), runs_(&runs), store_(&store), timer_(loop, [this] { on_clock(); }) {}

Clocks Scheduler::clocks() const { return {os::now(), awake_at_start_ + os::uptime().awake}; }

void Scheduler::look_at_all() {
  const Clocks now = clocks();
  for (const auto& [name, job] : jobs_->all())
    look_at(job, now);
  timer_.arm(agenda_.next());
}

void Scheduler::forget(const std::string& job) { agenda_.set(job, std::nullopt); }

void Scheduler::stop() {
  stopped_ = true;
  timer_.cancel();
}

std::optional<TimePoint> Scheduler::next(std::string_view job) const { return agenda_.at(job); }

void Scheduler::look_at(const JobEntry& job, const Clocks& now) {
  agenda_.set(job.name,
              job.scheduled() ? next_due(job.slots, job.schedule, now, job.zone) : std::nullopt);
}

/// Also called when the clock was set, or after a sleep: instants that now lie ahead simply wait
/// for it again, and no slot up to `considered` comes twice.
void Scheduler::on_clock() {
  if (stopped_) return;
  const Clocks now = clocks();
  auto slots = std::make_shared<std::vector<Slot>>();
  for (const std::string& name : agenda_.take(now.wall)) {
    JobEntry* job = jobs_->find(name);
    if (job == nullptr || !job->scheduled()) continue;
    if (auto slot = due_slot(*job, now)) slots->push_back(std::move(*slot));
    look_at(*job, now);
  }
  if (!slots->empty()) record(slots, now);
  timer_.arm(agenda_.next());
}

std::optional<Scheduler::Slot> Scheduler::due_slot(JobEntry& job, const Clocks& now) {
  const auto due = due_at(job.slots, job.schedule, now, job.zone);
  if (!due) return std::nullopt;
  const Clocks before = std::exchange(job.schedule.considered, due->considered);
  if (due->at_boot) job.schedule.at_boot = false;
  if (due->trigger == Trigger::catch_up && job.spec->schedule->catch_up == CatchUp::skip) {
    spdlog::info("job={} missed slots passed over: catch_up = \"skip\"", job.name);
    return std::nullopt;
  }
  if (due->trigger == Trigger::catch_up && stands_for(job, due->slot)) {
    spdlog::info("job={} missed slots passed over: it has succeeded since", job.name);
    return std::nullopt;
  }
  return Slot{job.name, *due, before, fate_of(job), std::nullopt};
}

Scheduler::Fate Scheduler::fate_of(const JobEntry& job) const {
  if (runs_->is_held(job.name)) return Fate::join;
  const bool skips = job.spec->limits.overlap == Overlap::skip && runs_->of_job(job.name);
  return skips ? Fate::skip : Fate::run;
}

void Scheduler::write(store::Store& store, Slot& slot, TimePoint now, const std::string& boot) {
  if (slot.fate != Fate::join) {
    slot.run = store.add_run(run_of(slot.job, slot.due), store::Owner::daemon);
  }
  store.set_considered(slot.job, slot.due.considered);
  if (slot.due.at_boot) store.set_boot(slot.job, boot);
  if (slot.fate == Fate::skip && slot.run) store.close_run(*slot.run, overlap_ending(now));
}

/// All slots due at one instant go into one transaction; none has a process before it is durable.
void Scheduler::record(const Slots& slots, const Clocks& now) {
  store_->submit(
      [slots, now, boot = jobs_->boot_id()](store::Store& store) {
        for (Slot& slot : *slots)
          write(store, slot, now.wall, boot);
        store.set_awake(now.awake);
      },
      [this, slots](const std::optional<Error>& error) {
        if (!error) return start(slots);
        spdlog::error("slots not recorded, next try in {} s: {}", kRecordAgain.count(),
                      error->what());
        try_again(slots);
      });
}

void Scheduler::start(const Slots& slots) {
  if (stopped_) return;  // recorded: the next supervisor starts them
  for (const Slot& slot : *slots) {
    if (!slot.run) continue;
    if (slot.fate == Fate::skip) {
      spdlog::warn("job={} slot skipped: the run before it goes on", slot.job);
    } else {
      start_slot(slot);
    }
  }
}

void Scheduler::start_slot(const Slot& slot) {
  const JobEntry* job = jobs_->find(slot.job);
  if (job == nullptr) return;  // removed meanwhile; the next start closes its run
  if (job->spec->limits.overlap == Overlap::replace) {
    if (const ActiveRunPtr current = runs_->of_job(slot.job)) runs_->stop(*current);
  }
  RunRecord run = run_of(slot.job, slot.due);
  run.id = *slot.run;
  runs_->add(std::move(run), job->spec, false);
}

void Scheduler::try_again(const Slots& slots) {
  for (const Slot& slot : *slots) {
    JobEntry* job = jobs_->find(slot.job);
    if (job == nullptr) continue;
    job->schedule.considered = slot.considered_before;
    job->schedule.at_boot = slot.due.at_boot;
    agenda_.set(slot.job, os::now() + kRecordAgain);
  }
  timer_.arm(agenda_.next());
}

}  // namespace lull::supervisor
