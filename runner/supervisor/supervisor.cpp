#include "runner/supervisor/supervisor.hpp"

#include "runner/os/instance_lock.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/process.hpp"
#include "runner/supervisor/not_yet.hpp"

#include <boost/asio/post.hpp>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <set>

namespace lull::supervisor {
namespace {

/// Where /etc/localtime is replaced when somebody travels.
constexpr const char* kZoneFolder = "/etc";

/// A supervisor that was just killed may linger in the kernel for a moment.
constexpr std::chrono::seconds kLockPatience{2};

/// Why a due run is not started any more.
constexpr const char* kGone = "its job is gone";
constexpr const char* kDisabled = "its job is disabled";
constexpr const char* kNeverBegan = "its `lull run` was killed before it began";

Result<void> make_all_folders(const os::InstancePaths& paths) {
  for (const std::string* folder : {&paths.state_dir, &paths.log_dir, &paths.runtime_dir}) {
    if (auto made = os::make_folders(*folder, 0700); !made) return made.error();
  }
  return os::make_folders(paths.jobs_dir(), 0755);
}

void warn_of_keys_without_effect(const JobSpec& spec) {
  const std::vector<std::string> keys = keys_without_effect(spec);
  if (keys.empty()) return;
  spdlog::warn("job={} without effect in this version: {}", spec.name, fmt::join(keys, ", "));
}

/// A definition for a run whose job file is gone: enough to follow it to its end.
std::shared_ptr<const JobSpec> nameless_spec(const std::string& name) {
  auto spec = std::make_shared<JobSpec>();
  spec->name = name;
  return spec;
}

}  // namespace

Result<Supervisor::Base> Supervisor::make_base(const os::InstancePaths& paths) {
  if (auto made = make_all_folders(paths); !made) return made.error();
  auto lock = os::take_instance_lock(paths.state_dir + "/lock", kLockPatience);
  if (!lock) return lock.error();
  auto files = os::RunFiles::open(paths.state_dir);
  if (!files) return files.error();
  auto kept = std::make_unique<os::RunFiles>(std::move(*files));
  auto launcher = Launcher::make(*kept, paths.log_dir);
  if (!launcher) return launcher.error();
  auto store = store::Store::open(paths.database());
  if (!store) return store.error().within(paths.database());
  auto kept_launcher = std::make_unique<Launcher>(std::move(*launcher));
  return Base{std::move(*lock), std::move(kept), std::move(kept_launcher), std::move(*store)};
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(boost::asio::io_context& loop,
                                                     SupervisorOptions options) {
  auto base = make_base(options.paths);
  if (!base) return base.error();
  std::unique_ptr<Supervisor> supervisor(
      new Supervisor(loop, std::move(options), std::move(*base)));
  const auto listening = supervisor->control_.listen(supervisor->options_.paths.socket());
  if (!listening) return listening.error();
  supervisor->serving_ = true;
  supervisor->say_ready();
  return supervisor;
}

Supervisor::Supervisor(boost::asio::io_context& loop, SupervisorOptions options, Base base)
    : loop_(loop),
      options_(std::move(options)),
      lock_(std::move(base.lock)),
      run_files_(std::move(base.run_files)),
      launcher_(std::move(base.launcher)),
      zone_(os::machine_zone()),
      store_(std::move(base.store),
             [&loop](std::function<void()> done) { boost::asio::post(loop, std::move(done)); }),
      jobs_(zone_, os::machine_id(), launcher_->boot_id()),
      runs_(loop.get_executor(), *launcher_, store_, *run_files_, options_.paths.runtime_dir,
            [this](const ActiveRun& run) { on_run_end(run); }),
      gatekeeper_(loop.get_executor(), jobs_, runs_, *launcher_, *run_files_),
      pauses_(loop.get_executor(), zone_, runs_, store_),
      scheduler_(loop.get_executor(), jobs_, runs_, store_),
      followers_(jobs_, runs_, store_),
      commands_(zone_, jobs_, runs_, scheduler_, pauses_, store_, [this] { reload(); }),
      control_(loop.get_executor(),
               [this](Request request, ControlServer::Send send) {
                 return commands_.answer(std::move(request), std::move(send));
               }),
      watch_(loop.get_executor(), [this] { reload(); }),
      zone_watch_(loop.get_executor(), [this] { look_at_zone(); }),
      notice_(loop.get_executor()),
      signals_(loop, SIGTERM, SIGINT, SIGHUP) {
  runs_.set_judge([this](const ActiveRun& run) { return judge(run); });
  signals_.add(SIGTSTP);
  wait_for_signal();
  watch_files();
  reload();
}

void Supervisor::watch_files() {
  for (const std::string& folder : {options_.paths.config_dir, options_.paths.jobs_dir()}) {
    if (auto watched = watch_.add(folder); !watched) {
      spdlog::warn("{}: changed job files are seen only on SIGHUP", watched.error().what());
    }
  }
  if (auto watched = zone_watch_.add(kZoneFolder); !watched) {
    spdlog::warn("{}: another time zone is seen only at a restart", watched.error().what());
  }
}

/// What was dealt with stays so: of the slots of the new zone those after it come.
void Supervisor::look_at_zone() {
  const Zone zone = os::machine_zone();
  if (zone == zone_) return;
  spdlog::info("the time zone is {} now", zone.name());
  zone_ = zone;
  jobs_.set_machine_zone(zone);
  if (!took_up_) return;  // no job's clock is known yet
  scheduler_.look_at_all();
  gatekeeper_.look_soon();
}

void Supervisor::reload() {
  if (stopping_) return;
  if (serving_) notice_.reloading();
  const Loaded loaded = load(options_.paths, launcher_->self());
  for (const config::Diagnostic& problem : loaded.diagnostics) {
    spdlog::error("{}", to_string(problem));
  }
  runs_.set_foreground(loaded.settings.foreground);
  runs_.set_places({loaded.settings.max_concurrent, loaded.settings.catch_up_concurrent});
  gatekeeper_.set_settle(loaded.settings.settle);
  const TableChanges changes = jobs_.update(loaded);
  for (const std::string& job : changes.removed) {
    scheduler_.forget(job);
    runs_.skip_due(job, kGone);
  }
  spdlog::info("{} jobs: {} new, {} rescheduled, {} removed", jobs_.all().size(),
               changes.added.size(), changes.rescheduled.size(), changes.removed.size());
  for (const std::string& job : changes.redefined) {
    const auto spec = jobs_.find(job)->spec;
    warn_of_keys_without_effect(*spec);
    runs_.redefine(spec);
    if (!spec->enabled) runs_.skip_due(job, kDisabled);
  }
  runs_.look_at_due();
  take_up_clocks(changes);
  say_ready();
}

void Supervisor::say_ready() {
  if (serving_) notice_.ready(std::to_string(jobs_.all().size()) + " jobs");
}

/// A job seen for the first time, or with a new schedule, has no slots in the past, and this boot
/// is none for it.
void Supervisor::take_up_clocks(const TableChanges& changes) {
  struct Answer {
    std::map<std::string, store::JobClock> clocks;
    std::map<std::string, TimePoint> successes;
    std::map<std::string, TimePoint> runs;
    std::vector<store::OpenRun> open;
    HandPauses pauses;
    std::optional<Duration> awake_at_start;
    std::vector<RunId> files;  ///< seen before the runs were asked for: a later one is no remnant
  };
  auto answer = std::make_shared<Answer>();
  if (!took_up_) answer->files = run_files_->list();
  store_.submit(
      [answer, changes, now = scheduler_.clocks(), boot = jobs_.boot_id(),
       first = !took_up_](store::Store& store) mutable {
        if (first) {
          answer->awake_at_start = store.awake_at_start(boot, now.awake);
          now.awake += *answer->awake_at_start;
        }
        for (const std::string& job : changes.rescheduled) {
          store.set_considered(job, now);
          store.set_boot(job, boot);
        }
        answer->clocks = store.clocks(changes.added, {now, now, boot});
        answer->successes = store.last_successes();
        answer->runs = store.last_runs();
        if (!first) return;
        answer->open = store.open_runs();
        answer->pauses = store.pauses();
      },
      [this, answer](const std::optional<Error>& error) {
        if (error) {
          spdlog::critical("no job can start: {}", error->what());
          return;
        }
        if (answer->awake_at_start) scheduler_.set_awake_at_start(*answer->awake_at_start);
        for (const auto& [name, clock] : answer->clocks)
          jobs_.set_clock(name, clock);
        for (const auto& [name, at] : answer->successes) {
          if (JobEntry* job = jobs_.find(name); job != nullptr) job->last_success = at;
        }
        for (const auto& [name, at] : answer->runs) {
          if (JobEntry* job = jobs_.find(name); job != nullptr) job->last_run = at;
        }
        if (!took_up_) {
          pauses_.take_up(std::move(answer->pauses));
          take_up_all(std::move(answer->open), answer->files);
          pauses_.hold_runs();
        }
        took_up_ = true;
        scheduler_.look_at_all();
        followers_.look();
        gatekeeper_.look_soon();  // what runs already may have lost its gates
        os::give_back_memory();
      });
}

/// Also removes the files of runs that were closed by a supervisor which ended before it could.
void Supervisor::take_up_all(std::vector<store::OpenRun> open, const std::vector<RunId>& files) {
  std::set<RunId> wanted;
  for (const store::OpenRun& run : open)
    wanted.insert(run.record.id);
  for (const RunId run : files) {
    if (!wanted.contains(run)) run_files_->remove(run);
  }
  for (store::OpenRun& run : open)
    take_up(std::move(run));
}

/// A run that the store has as open: its keeper lives, or has left an outcome, or was killed, or
/// was never started, in which case the run is still due.
void Supervisor::take_up(store::OpenRun open) {
  const RunId id = open.record.id;
  const auto file = run_files_->read(id);
  const bool claimed = !file || file->has_value();
  const auto identity = file && *file ? (*file)->keeper : os::ProcessIdentity{};
  const os::Fd keeper = os::open_process(identity);
  const bool alive = keeper && !os::has_ended(keeper.get());
  if (open.owner == store::Owner::command && alive) return;  // a `lull run` sees to it
  const JobEntry* job = jobs_.find(open.record.job);
  const bool known = job != nullptr && job->spec;
  const auto spec = known ? job->spec : nameless_spec(open.record.job);
  if (claimed) {
    runs_.adopt(std::move(open.record), spec, identity);
  } else if (known && spec->enabled && open.owner == store::Owner::daemon) {
    runs_.add(std::move(open.record), spec, false);
  } else {
    const bool was_ours = open.owner == store::Owner::daemon;
    runs_.drop(std::move(open.record), spec, !known ? kGone : was_ours ? kDisabled : kNeverBegan);
  }
}

/// Under a pause nobody is asked how the other gates stand, and a machine whose jobs are all paused
/// is not woken by its battery.
std::vector<Waiting> Supervisor::judge(const ActiveRun& run) {
  if (auto pause = pauses_.gate(run.record.job)) return {std::move(*pause)};
  return gatekeeper_.judge(run);
}

void Supervisor::on_run_end(const ActiveRun& run) {
  JobEntry* job = jobs_.find(run.record.job);
  const Ending& ending = *run.record.ending;
  if (job != nullptr && ending.outcome != Outcome::skipped) {
    job->last_run = run.record.started.value_or(run.record.slot);
    if (ending.outcome == Outcome::success) job->last_success = ending.at;
  }
  if (!stopping_) {
    followers_.look();
    gatekeeper_.look_soon();
  }
  if (stopping_ && options_.stop_jobs && runs_.empty()) loop_.stop();
}

// --- the end

void Supervisor::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      reload();
    } else if (signal == SIGTSTP) {
      // Nobody is to stand still because we do.
      runs_.stand_aside();
      ::raise(SIGSTOP);
      runs_.come_back();
    } else {
      spdlog::info("{}: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT",
                   options_.stop_jobs ? "stopping the jobs" : "running jobs go on without me");
      shut_down();
    }
    wait_for_signal();
  });
}

/// A second signal does not wait for the jobs.
void Supervisor::shut_down() {
  const bool again = std::exchange(stopping_, true);
  notice_.stopping();
  scheduler_.stop();
  followers_.stop();
  gatekeeper_.stop();
  pauses_.stop();
  control_.close();
  watch_.cancel();
  zone_watch_.cancel();
  if (options_.stop_jobs && !again) {
    runs_.stop_all();
    if (!runs_.empty()) return;
  }
  store_.submit(
      [awake = scheduler_.clocks().awake](store::Store& store) { store.set_awake(awake); },
      [](const auto&) {});
  runs_.release();
  loop_.stop();  // what the store was given, it commits before it goes
}

}  // namespace lull::supervisor
