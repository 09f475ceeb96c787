#include "runner/supervisor/gatekeeper.hpp"

#include "runner/os/machine.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace lull::supervisor {
namespace {

/// How soon it is seen under a run that somebody is at a terminal.
constexpr std::chrono::seconds kTerminals{5};

/// One that somebody started by hand goes on as it began, whatever its gates say.
bool heeds_gates(const ActiveRun& run) {
  return !run.by_hand && run.record.trigger != Trigger::manual;
}

}  // namespace

struct Gatekeeper::View {
  World world;
  std::vector<std::string> elsewhere;  ///< paths of `exists` that a program is to look at
};

Gatekeeper::Gatekeeper(const boost::asio::any_io_executor& loop, JobTable& jobs, Runs& runs,
                       const Launcher& launcher, const os::RunFiles& files)
    : loop_(loop),
      jobs_(&jobs),
      runs_(&runs),
      wakes_(os::uptime()),
      timer_(loop, [this] { on_clock(); }),
      providers_(loop, [this] { look_soon(); }),
      asker_(loop, launcher, files, [this] { look_soon(); }) {
  runs_->set_user_away(user_away_of(providers_));
}

void Gatekeeper::stop() { timer_.cancel(); }

Gatekeeper::View Gatekeeper::look_around(const ActiveRun& run, const GateSpec& when) {
  View view;
  World& world = view.world;
  world.now = os::now();
  const JobEntry* job = jobs_->find(run.record.job);
  if (job != nullptr) {
    world.zone = job->zone;
    world.to_succeed = jobs_->to_succeed(*job, run.record.slot);
  }
  const auto deadline = run.deadline();
  world.overdue = deadline && *deadline <= world.now;
  if (deadline && !world.overdue && when != GateSpec{}) look_again_at(*deadline);
  const Uptime uptime = os::uptime();
  note_sleep(uptime);
  const TimePoint woke = world.now - wakes_.awake_for(uptime);
  if (settles(run.record.trigger, run.record.slot, woke)) world.settled = woke + settle_;
  ask_providers(when, view);
  return view;
}

void Gatekeeper::ask_providers(const GateSpec& when, View& view) {
  World& world = view.world;
  const auto note = [&world](const char* gate, auto told) {
    if (told.asking) world.asking.insert(gate);
    return std::move(told.state);
  };
  if (when.power != GateSpec().power) world.power = note("power", providers_.power());
  if (when.away) {
    const Presence presence = providers_.presence(*when.away);
    world.user_away = presence.away;
    world.here_because = presence.here_because;
    if (presence.asking) world.asking.insert("away");
  }
  if (when.network) world.network = note("network", providers_.network());
  if (when.mounted) world.mounted = providers_.is_mounted(*when.mounted);
  if (when.exists.empty()) return;
  Missing missing = providers_.missing(when.exists);
  world.missing = std::move(missing.paths);
  view.elsewhere = std::move(missing.elsewhere);
}

/// Since it costs a process, only when nothing else holds the run.
void Gatekeeper::ask_programs(const ActiveRun& run, const GateSpec& when, View& view) {
  for (const std::string& path : view.elsewhere) {
    const auto ending = ask(run, {"/bin/sh", "-c", "test -e \"$0\"", path});
    if (ending && ending->exit_code == 0) continue;
    view.world.missing.push_back({path, ending && ending->exit_code == 1});
  }
  if (when.check.empty() || !view.world.missing.empty()) return;
  if (const auto ending = ask(run, when.check)) view.world.check = check_answer(*ending);
}

std::optional<Ending> Gatekeeper::ask(const ActiveRun& run, const std::vector<std::string>& argv) {
  auto [ending, holds] = asker_.ask(*run.spec, run.record, argv);
  if (holds > Duration(0)) look_again_at(os::now() + holds);
  return std::move(ending);
}

std::vector<Waiting> Gatekeeper::judge(const ActiveRun& run) {
  const GateSpec& when = run.spec->when;
  View view = look_around(run, when);
  GateSpec without_programs = when;
  without_programs.check.clear();
  std::vector<Waiting> waiting = shut_gates(without_programs, view.world);
  if (waiting.empty()) {
    ask_programs(run, when, view);
    waiting = shut_gates(when, view.world);
  }
  look_again_at_changes(waiting, when, view.world);
  return waiting;
}

std::optional<std::string> Gatekeeper::lost(const ActiveRun& run) {
  if (!heeds_gates(run)) return std::nullopt;
  const GateSpec& when = run.spec->when;
  const View view = look_around(run, when);
  const std::vector<Waiting> lost = lost_gates(when, view.world);
  look_again_at_changes(lost, when, view.world);
  // Of what is typed at a terminal nobody tells.
  if (when.away && lost.empty()) look_again_at(view.world.now + kTerminals);
  if (lost.empty()) return std::nullopt;
  return lost.front().gate + ": " + lost.front().reason;
}

void Gatekeeper::look_at_running() {
  const auto lost_with = [this](GateLost way) {
    return [this, way](const ActiveRun& run) {
      return run.spec->when.lost == way ? lost(run) : std::nullopt;
    };
  };
  runs_->hold_each(Holder::gate, lost_with(GateLost::pause));
  runs_->stop_each(lost_with(GateLost::stop));
}

/// Also one that nothing holds may have to wait for its turn until its hours are over.
void Gatekeeper::look_again_at_changes(const std::vector<Waiting>& waiting, const GateSpec& when,
                                       const World& world) {
  for (const Waiting& gate : waiting) {
    if (gate.until) look_again_at(*gate.until);
  }
  if (const auto hours = next_hours_change(when, world.now, world.zone)) look_again_at(*hours);
}

void Gatekeeper::look_again_at(TimePoint instant) {
  if (armed_ && *armed_ <= instant) return;
  armed_ = instant;
  timer_.arm(armed_);
}

/// Whoever looks first after a sleep.
void Gatekeeper::note_sleep(const Uptime& now) {
  if (wakes_.look(now)) asker_.forget_answers();
}

/// Also called when the clock was set and after a sleep.
void Gatekeeper::on_clock() {
  note_sleep(os::uptime());
  armed_.reset();
  timer_.arm(armed_);
  look();
}

/// Once for all that has changed by then; and a provider is not closed while it calls us.
void Gatekeeper::look_soon() {
  if (std::exchange(looking_, true)) return;
  boost::asio::post(loop_, [this] {
    looking_ = false;
    look();
  });
}

void Gatekeeper::look() {
  providers_.close_unasked();
  asker_.drop_unasked();
  look_at_running();  // first, since what it holds leaves its place
  runs_->look_at_due();
}

}  // namespace lull::supervisor
