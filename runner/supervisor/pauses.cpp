#include "runner/supervisor/pauses.hpp"

#include "runner/os/machine.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace lull::supervisor {
namespace {

/// "job=backup" or "all jobs".
std::string name_of(const std::string& job) { return job == kAllJobs ? "all jobs" : "job=" + job; }

}  // namespace

Pauses::Pauses(const boost::asio::any_io_executor& loop, const Zone& zone, Runs& runs,
               store::StoreThread& store)
    : zone_(&zone), runs_(&runs), store_(&store), timer_(loop, [this] { on_clock(); }) {}

void Pauses::take_up(HandPauses kept) {
  pauses_ = std::move(kept);
  for (const auto& [job, pause] : pauses_)
    spdlog::info("{} {}", name_of(job), describe(pause, *zone_));
  on_clock();  // what has ended meanwhile
}

std::optional<HandPause> Pauses::of(std::string_view job) const { return pause_of(pauses_, job); }

std::optional<Waiting> Pauses::gate(std::string_view job) const {
  const auto pause = of(job);
  if (!pause) return std::nullopt;
  return Waiting{"pause", describe(*pause, *zone_), true, std::nullopt};
}

store::StoreThread::Work Pauses::pause(const std::string& job, const HandPause& pause) {
  pauses_[job] = pause;
  spdlog::info("{} {}", name_of(job), describe(pause, *zone_));
  apply();
  return [job, pause](store::Store& store) { store.set_pause(job, pause); };
}

store::StoreThread::Work Pauses::resume(const std::string& job) {
  if (job == kAllJobs || has_own(job)) spdlog::info("{} resumed by hand", name_of(job));
  if (job == kAllJobs) {
    pauses_.clear();
    apply();
    return [](store::Store& store) { store.remove_all_pauses(); };
  }
  pauses_.erase(job);
  apply();
  return [job](store::Store& store) { store.remove_pause(job); };
}

/// Also called when the clock was set and after a sleep.
void Pauses::on_clock() {
  const TimePoint now = os::now();
  const auto ended = take_ended(pauses_, now);
  for (const std::string& job : ended)
    spdlog::info("{} the pause by hand has ended", name_of(job));
  if (ended.empty()) return timer_.arm(next_end(pauses_));
  store_->submit([now](store::Store& store) { store.remove_ended_pauses(now); },
                 [](const std::optional<Error>& error) {
                   // It stays in the store, and is known there for one that has ended.
                   if (error) spdlog::error("end of a pause not recorded: {}", error->what());
                 },
                 store::StoreThread::Urgency::soon);
  apply();
}

void Pauses::hold_runs() {
  runs_->hold_each(Holder::hand, [this](const ActiveRun& run) -> std::optional<std::string> {
    if (!run.record.started) return std::nullopt;
    if (!holds_run(pauses_, run.record.job, *run.record.started)) return std::nullopt;
    return kPausedByHand;
  });
}

void Pauses::apply() {
  timer_.arm(next_end(pauses_));
  hold_runs();
  runs_->look_at_due();
}

}  // namespace lull::supervisor
