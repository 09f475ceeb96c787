#include "runner/supervisor/runs.hpp"

#include "runner/os/pidfd.hpp"
#include "runner/os/process.hpp"
#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/readable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

/// The lull that has the loop answers within a tick, if at all.
constexpr std::chrono::seconds kLoopAnswers{2};

Ending without_process(Outcome outcome, std::string detail) {
  Ending ending;
  ending.at = os::now();
  ending.outcome = outcome;
  ending.detail = std::move(detail);
  return ending;
}

/// The job's main process once it runs, else 0.
pid_t running_pid(std::span<const keeper::Report> reports) {
  for (const keeper::Report& report : reports) {
    if (report.kind == keeper::Report::Kind::running) return report.pid;
  }
  return 0;
}

void log_end(const RunRecord& run) {
  const Ending& ending = *run.ending;
  const auto level = ending.outcome == Outcome::success ? spdlog::level::info : spdlog::level::warn;
  spdlog::log(level, "job={} run={} ended outcome={}{}{}", run.job, run.id,
              to_string(ending.outcome), ending.detail.empty() ? "" : ": ", ending.detail);
}

}  // namespace

ActiveRun::ActiveRun(const asio::any_io_executor& loop, RunRecord recorded,
                     std::shared_ptr<const JobSpec> job)
    : record(std::move(recorded)),
      spec(std::move(job)),
      changed(loop, asio::steady_timer::time_point::max()) {}

std::optional<TimePoint> ActiveRun::deadline() const {
  if (!spec->schedule || !spec->schedule->deadline) return std::nullopt;
  return record.slot + *spec->schedule->deadline;
}

asio::awaitable<void> ActiveRun::wait_for_change() { co_await changed.async_wait(kNoThrow); }

Runs::Runs(asio::any_io_executor loop, Launcher& launcher, store::StoreThread& store,
           const os::RunFiles& files, const std::string& runtime_dir, OnEnd on_end)
    : loop_(std::move(loop)),
      launcher_(&launcher),
      store_(&store),
      files_(&files),
      drive_(loop_, runtime_dir, {}, [this](const Change& change) { note_change(change); }),
      scopes_(loop_),
      on_end_(std::move(on_end)) {}

void Runs::look_at_due() {
  for (const ActiveRunPtr& run : queue_)
    run->waiting = judge_(*run);
  start_next();
}

void Runs::redefine(const std::shared_ptr<const JobSpec>& spec) {
  for (const ActiveRunPtr& run : queue_) {
    if (run->record.job == spec->name) run->spec = spec;
  }
}

bool Runs::start_now(const ActiveRunPtr& run) {
  if (run->state != ActiveRun::State::due || started_jobs_.contains(run->record.job)) return false;
  std::erase(queue_, run);
  run->by_hand = true;
  run->record.trigger = Trigger::manual;  // and so it stays, whoever is the supervisor then
  store_->submit(
      [id = run->record.id](store::Store& store) { store.set_trigger(id, Trigger::manual); },
      [id = run->record.id](const auto& error) {
        if (error) spdlog::error("run={} trigger not recorded: {}", id, error->what());
      },
      store::StoreThread::Urgency::soon);
  spawn_follower(run, live(run));
  return true;
}

std::vector<Waiting> Runs::waits_for(const ActiveRun& run) const {
  if (run.state != ActiveRun::State::due) return {};
  if (!run.waiting.empty()) return run.waiting;
  const auto turn = [](const char* gate, const char* reason) {
    return std::vector{Waiting{gate, reason, true, std::nullopt}};
  };
  if (started_jobs_.contains(run.record.job)) return turn("overlap", "the run before it goes on");
  if (taken_.all >= places_.all) return turn("max_concurrent", "other jobs run first");
  return turn("catch_up_concurrent", "other jobs catch up first");
}

/// Or gives it back, when `sign` is -1.
void Runs::take_place(const ActiveRun& run, int sign) {
  if (run.by_hand) return;
  taken_.all += sign;
  if (run.record.trigger == Trigger::catch_up) taken_.catch_ups += sign;
}

ActiveRunPtr Runs::track(RunRecord record, std::shared_ptr<const JobSpec> spec) {
  auto run = std::make_shared<ActiveRun>(loop_, std::move(record), std::move(spec));
  active_.emplace(run->record.id, run);
  of_jobs_.emplace(run->record.job, run);
  return run;
}

ActiveRunPtr Runs::add(RunRecord record, std::shared_ptr<const JobSpec> spec, bool by_hand) {
  ActiveRunPtr run = track(std::move(record), std::move(spec));
  run->by_hand = by_hand;
  if (by_hand && accepting_) {
    spawn_follower(run, live(run));
  } else {
    run->waiting = judge_(*run);
    queue_.push_back(run);
    start_next();
  }
  return run;
}

void Runs::adopt(RunRecord record, std::shared_ptr<const JobSpec> spec,
                 const os::ProcessIdentity& keeper) {
  const ActiveRunPtr run = track(std::move(record), std::move(spec));
  if (!run->record.started) run->record.started = os::now();  // the store had not heard of it yet
  run->by_hand = run->record.trigger == Trigger::manual;
  take_place(*run);
  spawn_follower(run, live_adopted(run, keeper));
}

void Runs::skip_due(std::string_view job, const std::string& reason) {
  const auto [first, last] = of_jobs_.equal_range(job);
  std::vector<ActiveRunPtr> due;  // ending one changes the map
  for (auto run = first; run != last; ++run) {
    if (run->second->state == ActiveRun::State::due) due.push_back(run->second);
  }
  for (const ActiveRunPtr& run : due) {
    std::erase(queue_, run);
    end(run, without_process(Outcome::skipped, reason));
  }
}

void Runs::drop(RunRecord record, std::shared_ptr<const JobSpec> spec, std::string reason) {
  end(track(std::move(record), std::move(spec)),
      without_process(Outcome::skipped, std::move(reason)));
}

void Runs::stop(ActiveRun& run) {
  run.stopping = true;
  if (run.keeper) {
    release_for_stop(run);
    os::send_signal(run.keeper.get(), SIGTERM);
  } else if (run.state == ActiveRun::State::due) {
    const auto self = active_.at(run.record.id);
    std::erase(queue_, self);
    end(self, without_process(Outcome::stopped, "stopped before it started"));
  }
}

/// Out of the loop, and so thawed: or it could not hear that it is to end.
void Runs::release_for_stop(ActiveRun& run) {
  if (!std::exchange(run.driven, false)) return;
  drive_.remove(static_cast<RunKey>(run.record.id),
                [self = active_.at(run.record.id)](Duration paused) { self->paused = paused; });
}

void Runs::stop_all() {
  accepting_ = false;
  const auto active = active_;  // ending one changes the map
  for (const auto& [id, run] : active)
    stop(*run);
}

void Runs::release() {
  accepting_ = false;
  drive_.leave();
}

ActiveRunPtr Runs::of_job(std::string_view job) const {
  const auto [first, last] = of_jobs_.equal_range(job);
  return first == last ? nullptr : first->second;
}

bool Runs::is_held(std::string_view job) const {
  const auto [first, last] = of_jobs_.equal_range(job);
  return std::any_of(first, last, [](const auto& one) {
    return one.second->state == ActiveRun::State::due && !one.second->waiting.empty();
  });
}

/// One run of a job at a time: the next waits for the one before.
void Runs::start_next() {
  const auto turn_of = [](const ActiveRunPtr& run) {
    return InLine{run->record.trigger, run->record.slot, run->deadline()};
  };
  const auto may_start = [this](const ActiveRunPtr& run) {
    return run->waiting.empty() && has_place(run->record.trigger, taken_, places_) &&
           !started_jobs_.contains(run->record.job);
  };
  while (accepting_ && taken_.all < places_.all) {
    auto next = queue_.end();
    for (auto run = queue_.begin(); run != queue_.end(); ++run) {
      if (!may_start(*run)) continue;
      if (next == queue_.end() || goes_before(turn_of(*run), turn_of(*next))) next = run;
    }
    if (next == queue_.end()) return;
    const ActiveRunPtr run = *next;
    queue_.erase(next);
    take_place(*run);
    spawn_follower(run, live(run));
  }
}

void Runs::spawn_follower(const ActiveRunPtr& run, asio::awaitable<void> follower) {
  run->state = ActiveRun::State::starting;
  started_jobs_.insert(run->record.job);
  asio::co_spawn(loop_, std::move(follower), log_exit("a run's follower failed"));
}

asio::awaitable<void> Runs::live(ActiveRunPtr run) {
  run->record.started = os::now();
  // posix_spawn holds the loop for about 0.7 ms, until the keeper's exec: the price of knowing at
  // once that there is a keeper.
  run->started_in = drive_.state();
  LaunchOptions options;
  options.state = run->started_in;
  options.scope = scopes_.placement(*run->spec);
  launcher_->look_again();
  auto launched = launcher_->launch(*run->spec, run->record, options);
  if (!launched) {
    end(run, without_process(Outcome::spawn_failed, launched.error().what()));
    co_return;
  }
  run->keeper = std::move(launched->keeper.pidfd);
  store_->submit([id = run->record.id, at = *run->record.started,
                  log = launched->log](store::Store& store) { store.set_started(id, at, log); },
                 [id = run->record.id](const auto& error) {
                   if (error) spdlog::error("run={} start not recorded: {}", id, error->what());
                 },
                 store::StoreThread::Urgency::soon);
  if (run->stopping) stop(*run);
  co_await follow_reports(run, *launched);
  co_await wait_for_end(loop_, run->keeper.get());
  co_await undrive(run);
  end(run, files_->ending_of(run->record.id));
}

/// Reads the keeper's reports until there is nothing more to expect: the job runs with all that it
/// was to get, or there is no job and the outcome file says why.
asio::awaitable<void> Runs::follow_reports(ActiveRunPtr run, Launched& launched) {
  Readable pipe(loop_, launched.keeper.reports.get());
  std::vector<keeper::Report> all;
  for (;;) {
    const auto news = os::read_reports(launched.keeper.reports.get());
    if (!news) co_return;
    all.insert(all.end(), news->begin(), news->end());
    if (launched.go && !all.empty()) co_await scopes_.place(launched, all.front().pid);
    const pid_t pid = running_pid(all);
    if (pid != 0 && run->main_pid == 0) {
      now_runs(*run, pid, "started");
      note_start_level(*run, launched, all, launched.plan.level_reason);
      if (const auto keeper = os::identify_process(launched.keeper.pid)) drive(*run, *keeper, true);
    } else if (pid != 0 && !news->empty()) {
      note_start_level(*run, launched, all, "the kernel took the autogroup's nice value late");
    }
    if (pid != 0 && !awaits_autogroup(all)) co_return;
    co_await pipe.wait();
  }
}

void Runs::now_runs(ActiveRun& run, pid_t pid, const char* how) {
  run.state = ActiveRun::State::running;
  run.main_pid = pid;
  spdlog::info("job={} run={} {} pid={}", run.record.job, run.record.id, how, pid);
  run.announce();
}

void Runs::note_start_level(ActiveRun& run, const Launched& launched,
                            std::span<const keeper::Report> reports, const std::string& reason) {
  note_level(run, {os::now(), launched.plan.state, to_string(launched.plan.level),
                   describe_applied(launched, reports), reason});
}

void Runs::note_level(ActiveRun& run, LevelChange level) {
  run.record.levels.push_back(level);
  store_->submit([id = run.record.id,
                  level = std::move(level)](store::Store& store) { store.add_level(id, level); },
                 [id = run.record.id](const auto& error) {
                   if (error) spdlog::error("run={} level not recorded: {}", id, error->what());
                 },
                 store::StoreThread::Urgency::soon);
}

// --- under the loop

void Runs::drive(const ActiveRun& run, const os::ProcessIdentity& keeper, bool fresh) {
  if (run.stopping) return;
  DrivenRun driven = launcher_->driven(*run.spec, run.record, keeper, run.main_pid, run.started_in);
  driven.fresh = fresh;
  driven.held = run.holds.reason();
  if (!fresh) scopes_.take_up(driven.processes);
  active_.at(run.record.id)->driven = true;
  drive_.add(std::move(driven));
}

void Runs::note_change(const Change& change) {
  const auto found = active_.find(static_cast<RunId>(change.key));
  if (found == active_.end()) return;
  ActiveRun& run = *found->second;
  run.paused = change.paused;
  run.asked_loop_to_hold = false;
  for (const auto& waiting : std::exchange(on_news_, {}))
    waiting->cancel();
  spdlog::info("job={} run={} {} ({})", run.record.job, run.record.id, change.level.level,
               change.level.reason);
  note_level(run, change.level);
  run.announce();
}

/// Takes a run from the loop and waits until it has let go. Not for ever: whoever has the loop may
/// be stopped or stuck, and the run has ended.
asio::awaitable<void> Runs::undrive(ActiveRunPtr run) {
  if (!std::exchange(run->driven, false)) co_return;
  const auto gone = std::make_shared<asio::steady_timer>(loop_, kLoopAnswers);
  const auto told = std::make_shared<bool>(false);
  drive_.remove(static_cast<RunKey>(run->record.id), [run, told, gone](Duration paused) {
    run->paused = paused;
    *told = true;
    gone->cancel();
  });
  if (!*told) co_await gone->async_wait(kNoThrow);
}

asio::awaitable<std::vector<std::string>> Runs::why(ActiveRunPtr run) {
  const auto answered = std::make_shared<asio::steady_timer>(loop_, kLoopAnswers);
  const auto because = std::make_shared<std::optional<std::vector<std::string>>>();
  drive_.why(static_cast<RunKey>(run->record.id),
             [because, answered](std::vector<std::string> sentences) {
               *because = std::move(sentences);
               answered->cancel();
             });
  if (!*because) co_await answered->async_wait(kNoThrow);
  if (!*because) *because = {"the lull that drives this user's jobs does not answer"};
  co_return std::move(**because);
}

asio::awaitable<void> Runs::live_adopted(ActiveRunPtr run, os::ProcessIdentity keeper) {
  run->keeper = os::open_process(keeper);
  if (run->keeper) {
    now_runs(*run, os::main_child_of(keeper.pid), "adopted");
    drive(*run, keeper, false);
    co_await wait_for_end(loop_, run->keeper.get());
    co_await undrive(run);
  }
  end(run, files_->ending_of(run->record.id));
}

void Runs::end(const ActiveRunPtr& run, Ending ending) {
  for (const Holder by : {Holder::hand, Holder::gate})
    hold(*run, by, std::nullopt);
  ending.paused = run->paused;
  if (ending.outcome == Outcome::stopped && !run->stopped_because.empty()) {
    ending.detail = run->stopped_because + (ending.detail.empty() ? "" : "; " + ending.detail);
  }
  run->record.ending = std::move(ending);
  log_end(run->record);
  store_->submit([id = run->record.id, ending = *run->record.ending](
                     store::Store& store) { store.close_run(id, ending); },
                 [this, run](const std::optional<Error>& error) {
                   // Unrecorded, the file stays: the next start reads the outcome there.
                   if (error) {
                     spdlog::error("run={} end not recorded: {}", run->record.id, error->what());
                   } else {
                     files_->remove(run->record.id);
                   }
                   run->closed = true;
                   run->announce();
                   on_end_(*run);
                 },
                 store::StoreThread::Urgency::soon);
  run->announce();
  forget(run);
}

void Runs::forget(const ActiveRunPtr& run) {
  active_.erase(run->record.id);
  const auto [first, last] = of_jobs_.equal_range(run->record.job);
  of_jobs_.erase(std::find_if(first, last, [&](const auto& one) { return one.second == run; }));
  if (run->state != ActiveRun::State::due) {
    started_jobs_.erase(started_jobs_.find(run->record.job));
    take_place(*run, -1);
  }
  start_next();
}

}  // namespace lull::supervisor
