// The loop: when to look, what is seen, what is decided. What is then done is in driver_acts.cpp.
#include "runner/supervisor/driver.hpp"

#include "runner/os/machine.hpp"
#include "runner/os/run_processes.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lull::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kSampleEvery = milliseconds(100);
/// Right after a change, to see what it did.
constexpr Duration kSampleSoon = milliseconds(50);
constexpr Duration kSoonFor = seconds(1);
/// A suspicion is looked at once more before it counts.
constexpr Duration kSampleAgain = milliseconds(10);
/// After this long without a change it may be looked at less often.
struct Calm {
  Duration after;
  Duration every;
};
constexpr Calm kCalm{seconds(20), milliseconds(200)};
constexpr Calm kLongCalm{seconds(60), milliseconds(500)};
/// Whoever just came may come to the disk too.
constexpr Duration kJustCame = seconds(1);
constexpr Duration kOthersEvery = seconds(2);
constexpr Duration kUserEvery = seconds(1);
constexpr Duration kForgetEvery = seconds(1);
/// A run that did I/O this recently is one that uses disks.
constexpr Duration kUsesDisk = seconds(10);
/// And this recently, one that may do some right now: the longest time between two samples.
constexpr Duration kStillDoesIo = kLongCalm.every;

std::string percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

}  // namespace

Instant steady_now() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

Driver::Driver(const boost::asio::any_io_executor& loop, const ForegroundSettings& settings,
               OnChange on_change)
    : timer_(loop), settings_(settings), on_change_(std::move(on_change)), units_(loop) {}

Driver::~Driver() {
  const Instant now = steady_now();
  for (auto& [key, driven] : runs_) {
    for (std::size_t why = 0; why < kHolds; ++why)
      hold(driven, static_cast<Hold>(why), false, now);
  }
}

void Driver::add(DrivenRun run) {
  // A run that we are in ourselves: frozen with it, we could not thaw it.
  if (os::descends_from(::getpid(), run.processes.keeper.pid)) {
    run.priority.levels.adapts = false;
    run.priority.pause = PauseMethod::never;
  }
  const bool first = !has_work();
  const RunKey key = run.key;
  auto held = std::exchange(run.held, std::nullopt);
  const Instant now = steady_now();
  group_levels_.clear();  // whoever started it may have weighed its groups
  // The keeper of a run that is never touched goes on looking after its autogroup alone.
  if (run.priority.levels.adapts) os::tell_keeper(run.processes.keeper);
  sampler_.add(run.key, run.processes);
  const bool by_signals = run.priority.pause == PauseMethod::stop;
  std::optional<int> first_nice;
  if (run.fresh) first_nice = nice_at_start(run.priority.levels, run.level, run.can);
  Driven driven{.run = run,
                .actuator = os::Actuator(run.processes, run.can, run.level, first_nice),
                .freezer = os::Freezer(run.processes, by_signals),
                .state = first_state(now, std::max(run.state, state())),
                .what = run.level,
                .reason = "",
                .use = {},
                .settled = run.fresh};
  // Whoever drove it may have left it frozen, if its keeper has not seen that yet.
  if (!run.fresh) driven.freezer.thaw();
  runs_.insert_or_assign(run.key, std::move(driven));
  if (first) begin_to_look();
  forget(now);
  if (!run.fresh) looks_.wrote(now);  // it may have, and we were not there
  note_change(now);
  weigh_groups();
  next_sample_ = now;
  if (has_work()) wake_at(now);
  if (held) hold(key, std::move(held));
}

/// Two samples of which only one knows the first run would take its start for the foreground's.
void Driver::begin_to_look() {
  forgot_ = others_looked_for_ = Instant(0);
  slice_ = SliceState();
}

Duration Driver::remove(RunKey key) {
  const auto found = runs_.find(key);
  if (found == runs_.end()) return Duration(0);
  const Instant now = steady_now();
  for (std::size_t why = 0; why < kHolds; ++why)
    hold(found->second, static_cast<Hold>(why), false, now);
  const Duration frozen = found->second.frozen;
  runs_.erase(found);
  sampler_.remove(key);
  forget(now);
  if (!has_work()) timer_.cancel();
  weigh_groups();
  return frozen;
}

void Driver::hold(RunKey key, std::optional<std::string> reason) {
  const auto found = runs_.find(key);
  if (found == runs_.end()) return;
  Driven& driven = found->second;
  const Instant now = steady_now();
  const bool worked = has_work();
  if (reason.has_value() != driven.run.held.has_value()) driven.settled = false;
  // What it knew of the foreground is as old as its pause.
  if (!reason && is_held(driven)) driven.state = first_state(now, state());
  driven.run.held = std::move(reason);
  if (!worked) seen_ = Observation();
  hold_from_now(driven, now);
  if (!has_work()) timer_.cancel();
  if (!worked && has_work()) {
    begin_to_look();
    forget(now);
    next_sample_ = now;
    wake_at(now);
  }
  report();
}

/// A run that never adapts needs its group's weight, and nobody to watch the foreground for it; one
/// that is held neither: while there are no others, nothing wakes up.
bool Driver::has_work() const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const auto& one) { return is_moved(one.second); });
}

/// Its level moves with the foreground.
bool Driver::is_moved(const Driven& driven) {
  return driven.run.priority.levels.adapts && !is_held(driven);
}

/// It stands still for somebody beside the loop.
bool Driver::is_held(const Driven& driven) {
  return driven.run.held && driven.run.priority.pause != PauseMethod::never;
}

Foreground Driver::state() const {
  Foreground worst = Foreground::idle;
  for (const auto& [key, driven] : runs_) {
    if (is_moved(driven)) worst = std::max(worst, driven.state.state);
  }
  return has_work() ? worst : Foreground::light;
}

void Driver::wake_at(Instant when) {
  timer_.expires_at(boost::asio::steady_timer::time_point(when));
  timer_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& error) {
    // A wait that was over before it was cancelled comes all the same.
    if (!error && !there.expired() && has_work()) tick();
  });
}

void Driver::tick() {
  const Instant now = steady_now();
  const bool sampled = now >= next_sample_;
  if (sampled) take_sample(now);
  if (sampled || now >= next_slice_) {
    const Instant heard = steady_now();
    next_slice_ = heard + slice(heard);
  }
  wake_at(std::min(next_sample_, next_slice_));
  report();
}

/// When all has been done: whoever hears of it may wait for a disk.
void Driver::report() {
  for (const Change& change : std::exchange(changes_, {}))
    on_change_(change);
}

void Driver::take_sample(Instant now) {
  if (now - others_looked_for_ >= kOthersEvery) {
    others_looked_for_ = now;
    if (sampler_.look_for_others()) forget(now);
  }
  if (user_away_source_ && now - user_asked_for_ >= kUserEvery) {
    user_asked_for_ = now;
    user_away_ = user_away_source_(settings_.away_after);
  }
  const auto seen = look(sampler_.take(now));
  if (seen && would_be_news(*seen) && sampler_.look_for_others()) {
    forget(now);  // it was another lull's run: look once more before anything is said
  } else if (seen) {
    decide_all(*seen);
  }
  next_sample_ = now + until_next_sample(now);
}

Duration Driver::until_next_sample(Instant now) const {
  const Duration unchanged = now - last_change_;
  if (looks_.suspects(now)) return kSampleAgain;
  if (unchanged < kSoonFor) return kSampleSoon;
  if (state() >= Foreground::busy) return kSampleEvery;
  if (unchanged >= kLongCalm.after) return kLongCalm.every;
  return unchanged >= kCalm.after ? kCalm.every : kSampleEvery;
}

std::optional<Observation> Driver::look(const Sample& sample) {
  for (auto& [key, driven] : runs_) {
    if (const os::Use* use = sampler_.use_of(key)) observe(*use, driven, sample.at);
  }
  last_sample_ = sample.at;
  if (sample.others_io) others_io_ = sample.at;
  auto seen = looks_.add(sample);
  if (seen) seen->user_away = user_away_;
  return seen;
}

void Driver::observe(const os::Use& use, Driven& driven, Instant now) const {
  const Duration span = now - last_sample_;
  if (os::did_io(driven.use, use)) driven.last_io = now;
  const bool ran =
      std::none_of(driven.holds.begin(), driven.holds.end(), [](bool on) { return on; });
  if (ran && span.count() > 0) {
    constexpr double kNew = 0.2;  // what the kernel counts in ticks comes in lumps
    const double fresh = double((use.cpu - driven.use.cpu).count()) / double(span.count());
    driven.cpu += kNew * (fresh - driven.cpu);
  }
  driven.use = use;
}

/// Whether this would make a run yield.
bool Driver::would_be_news(const Observation& seen) const {
  if (state() >= Foreground::busy) return false;
  if (seen.cpu >= settings_.busy_cpu) return true;
  const auto is_shared = [](const DeviceUse& disk) { return disk.foreign > 0; };
  return (seen.others_wait || std::any_of(seen.devices.begin(), seen.devices.end(), is_shared)) &&
         std::any_of(runs_.begin(), runs_.end(),
                     [&](const auto& one) { return uses_disk(one.second, seen.at); });
}

/// Where runs come and go all the time, what each brings along unseen is the smaller evil.
void Driver::forget(Instant now) {
  if (forgot_.count() > 0 && now - forgot_ < kForgetEvery) return;
  forgot_ = now;
  looks_.forget();
}

bool Driver::uses_disk(const Driven& driven, Instant now) {
  return is_within(driven.last_io, kUsesDisk, now);
}

void Driver::note_change(Instant now) {
  last_change_ = now;
  looks_.changed(now);
}

void Driver::decide_all(const Observation& seen) {
  seen_ = seen;
  for (auto& [key, driven] : runs_)
    decide_one(driven, seen);
  take_turns(seen.at);
  weigh_groups();
  look_after_autogroups(seen.at);
}

void Driver::decide_one(Driven& driven, const Observation& seen) {
  const Foreground before = driven.state.state;
  const RunFacts facts{uses_disk(driven, seen.at), false, driven.run.held};
  Decision decision =
      decide(driven.run.priority, driven.run.can, settings_, facts, driven.state, seen);
  driven.state = decision.next;
  driven.reason = decision.reason;
  const bool is_news = driven.state.state != before && !is_held(driven);
  if (driven.settled && decision.what == driven.what && !is_news) return;
  driven.settled = true;
  note_change(seen.at);
  act(driven, decision, seen.at);
}

bool Driver::is_sliced(const Driven& driven, Instant now) const {
  // One that is held does nothing at all, however long.
  return may_be_held(driven) && (driven.holds[kForSlice] || uses_disk(driven, now));
}

SliceInput Driver::ear(Instant now) {
  SliceInput input;
  input.at = now;
  // Asked until they have come to rest; then it holds until they run again.
  using Phase = SliceState::Phase;
  const bool comes_to_rest = slice_.phase == Phase::draining ||
                             (slice_.phase == Phase::holding && !slice_.baseline.frozen);
  input.frozen = comes_to_rest || (slice_.phase != Phase::running && slice_.baseline.frozen);
  input.mixed = is_within(others_io_, kStillDoesIo, now);
  for (const auto& [key, driven] : runs_) {
    if (!may_be_held(driven) && is_within(driven.last_io, kStillDoesIo, now)) input.mixed = true;
    if (!is_sliced(driven, now)) continue;
    input.wanted = true;
    if (comes_to_rest) {
      input.frozen = input.frozen && driven.holds[kForSlice] && driven.freezer.is_frozen();
    }
  }
  if (!input.wanted) return input;
  const bool just_came = state() >= Foreground::busy && now - last_change_ < kJustCame;
  input.hint = looks_.hint(now) || just_came;
  input.commits = looks_.commits(now);
  input.foreign = looks_.foreign();
  input.written = looks_.own_written();
  input.writing = looks_.writing(now);
  input.recording = looks_.recording(now);
  if (!input.mixed) input.foreground = sampler_.foreground_requests();
  if (slice_.phase == Phase::running) {  // what the disks do says nothing while ours run
    input.wanted = sampler_.has_disks();
    return input;
  }
  const auto disks = sampler_.listen();
  input.wanted = !disks.empty();
  for (const DeviceCounters& disk : disks) {
    input.reads += disk.reads;
    input.writes += disk.writes;
    input.flushes += disk.flushes;
    input.in_flight += disk.in_flight;
  }
  return input;
}

std::vector<std::string> Driver::why(RunKey key) const {
  const auto found = runs_.find(key);
  if (found == runs_.end()) return {};
  const Driven& driven = found->second;
  if (!is_moved(driven)) {
    return {driven.run.held ? driven.reason : "its policy has one level, whatever happens"};
  }
  std::vector<std::string> because;
  because.push_back(driven.reason.empty() ? "it has only just started" : driven.reason);
  because.push_back("foreground uses " + percent(seen_.cpu) + " of " + percent(seen_.cpus) +
                    " CPU, lull and its jobs " + percent(seen_.own_cpu));
  for (const DeviceUse& disk : seen_.devices) {
    because.push_back(disk.name + " " + percent(disk.busy) + " busy, " + percent(1 - disk.foreign) +
                      " of it ours");
  }
  if (driven.holds[kForTurn])
    because.emplace_back("it waits for its turn among the jobs of this user");
  if (is_watchful(slice_, seen_.at) && is_sliced(driven, seen_.at)) {
    because.emplace_back(
        "somebody else may use its disk: it runs in slices and listens in between");
  }
  return because;
}

}  // namespace lull::supervisor
