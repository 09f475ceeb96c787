#include "jobs/decide.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kTick = milliseconds(100);
constexpr Capabilities kGroups{CpuKnob::cgroup, -20, true};
constexpr Capabilities kUser{CpuKnob::autogroup, 20, false};
constexpr Capabilities kNothing{CpuKnob::none, 20, false};

/// A run under a foreground that a test plays, one sample every 100 ms.
class Play {
 public:
  explicit Play(Policy policy = Policy::throttle, Capabilities can = kGroups) : can_(can) {
    priority.policy = policy;
    priority.levels = levels_of(policy);
    state_ = first_state(now_);
  }

  /// Shows the same for `span`; the states that were entered are added to `path`.
  void show(Observation seen, Duration span) {
    for (const Instant end = now_ + span; now_ < end;) {
      now_ += kTick;
      seen.at = now_;
      last = decide(priority, can_, settings, facts, state_, seen);
      state_ = last.next;
      if (path.empty() || path.back() != state_.state) path.push_back(state_.state);
      if (std::holds_alternative<Pause>(last.what)) paused += kTick;
    }
  }
  [[nodiscard]] Foreground state() const { return state_.state; }
  [[nodiscard]] bool is_paused() const { return std::holds_alternative<Pause>(last.what); }
  [[nodiscard]] Duration hold() const { return state_.hold; }

  PrioritySpec priority;
  ForegroundSettings settings;
  RunFacts facts;
  Decision last;
  std::vector<Foreground> path;
  Duration paused{0};

 private:
  Capabilities can_;
  Instant now_ = seconds(1000);
  PolicyState state_;
};

Observation quiet() {
  Observation seen;
  seen.cpus = 2;
  return seen;
}

Observation with_cpu(double cpu) {
  Observation seen = quiet();
  seen.cpu = cpu;
  return seen;
}

Observation with_stall(double stall) {
  Observation seen = with_cpu(1.5);
  seen.cpu_stall = stall;
  return seen;
}

Observation away(Observation seen) {
  seen.user_away = minutes(10);
  return seen;
}

Observation on_disk(double foreign, bool heard = false) {
  Observation seen = quiet();
  seen.devices = {{"sda", 0.62, foreign, heard}};
  return seen;
}

TEST_CASE("decide: yields with the first sample in which the foreground uses a CPU") {
  Play play;
  play.show(quiet(), seconds(10));
  CHECK(play.state() == Foreground::light);
  play.show(with_cpu(1.4), kTick);
  CHECK(play.state() == Foreground::busy);
  CHECK(std::get<Level>(play.last.what) == levels_of(Policy::throttle).busy);
  CHECK(play.last.reason == "busy: foreground uses 140 % of 200 % CPU");
}

TEST_CASE("decide: busy becomes light after 3 s of quiet, and idle after 60 s with nobody there") {
  Play play;
  play.show(with_cpu(1.4), seconds(5));
  play.show(away(quiet()), milliseconds(2900));
  CHECK(play.state() == Foreground::busy);
  play.show(away(quiet()), milliseconds(200));
  CHECK(play.state() == Foreground::light);
  play.show(away(quiet()), milliseconds(56'800));
  CHECK(play.state() == Foreground::light);
  play.show(away(quiet()), milliseconds(200));
  CHECK(play.state() == Foreground::idle);
}

TEST_CASE("decide: without a source for user input nothing rises above light") {
  Play play;
  play.show(quiet(), minutes(10));
  CHECK(play.state() == Foreground::light);
  CHECK(play.last.reason == "light: no source tells that nobody is at the machine");
}

TEST_CASE(
    "decide: a weight that does not count beside a part of the foreground makes a job pause") {
  Observation elsewhere = with_cpu(1.4);  // as a login session does beside a user's services
  elsewhere.unranked_cpu = 1.4;
  elsewhere.own_cpu = 0.6;
  Play play;
  play.show(elsewhere, seconds(1));
  CHECK(play.is_paused());
  CHECK(play.last.reason ==
        "strained: foreground uses 140 % of 200 % CPU, 140 % of it where no weight ranks the job "
        "below it (lull doctor)");

  Play beside;  // all of it where the weights count
  elsewhere.unranked_cpu = 0;
  beside.show(elsewhere, seconds(10));
  CHECK_FALSE(beside.is_paused());

  Play room;  // there is a CPU for each
  elsewhere.cpu = elsewhere.unranked_cpu = 0.9;
  elsewhere.own_cpu = 0.8;
  room.show(elsewhere, seconds(10));
  CHECK_FALSE(room.is_paused());
}

TEST_CASE("decide: the first input ends idle") {
  Play play;
  play.show(away(quiet()), minutes(2));
  CHECK(play.state() == Foreground::idle);
  Observation here = quiet();
  here.user_away = seconds(0);
  play.show(here, kTick);
  CHECK(play.state() == Foreground::light);
}

TEST_CASE("decide: between the two thresholds a state stays what it is") {
  Play calm;
  calm.show(with_cpu(0.2), seconds(30));
  CHECK(calm.state() == Foreground::light);
  Play busy;
  busy.show(with_cpu(0.5), kTick);
  busy.show(with_cpu(0.2), seconds(30));
  CHECK(busy.state() == Foreground::busy);
}

TEST_CASE("decide: a disk counts only for a run that uses one") {
  Play play;
  play.show(on_disk(0.9), seconds(1));
  CHECK(play.state() == Foreground::light);
  play.facts.uses_disk = true;
  play.show(on_disk(0.97), kTick);
  CHECK(play.state() == Foreground::busy);
  CHECK(play.last.reason == "busy: sda 62 % busy, 3 % of it ours");
}

TEST_CASE("decide: a disk on which somebody else was heard is busy whatever the amounts say") {
  Play play;
  play.facts.uses_disk = true;
  play.show(on_disk(0, true), kTick);
  CHECK(play.state() == Foreground::busy);
}

TEST_CASE("decide: strain counts only when the busy level has had its chance") {
  Play play;
  play.show(with_stall(0.5), milliseconds(500));
  CHECK(play.state() == Foreground::busy);
  play.show(with_stall(0.5), milliseconds(200));
  CHECK(play.state() == Foreground::strained);
  CHECK(play.is_paused());
  CHECK(play.last.reason == "strained: foreground waits for a CPU 50 % of the time");
}

TEST_CASE("decide: a pause ends after its hold, which doubles while harm comes right back") {
  Play play;
  std::vector<Duration> holds;
  for (int round = 0; round < 8; ++round) {
    while (!play.is_paused())
      play.show(with_stall(0.5), kTick);
    holds.push_back(play.hold());
    while (play.is_paused())
      play.show(with_stall(0), kTick);
  }
  CHECK(holds == std::vector<Duration>{seconds(1), seconds(2), seconds(4), seconds(8), seconds(16),
                                       seconds(30), seconds(30), seconds(30)});
}

TEST_CASE("decide: harm that comes later than 2 s after a pause does not double the hold") {
  Play play;
  while (!play.is_paused())
    play.show(with_stall(0.5), kTick);
  while (play.is_paused())
    play.show(with_stall(0), kTick);
  play.show(with_stall(0), seconds(3));
  while (!play.is_paused())
    play.show(with_stall(0.5), kTick);
  CHECK(play.hold() == seconds(1));
}

TEST_CASE("decide: a run that is held for max_pause gets a floor, again and again") {
  Play play;
  play.priority.max_pause = seconds(20);
  play.show(with_stall(0.9), minutes(10));
  const double running = 1.0 - double(play.paused.count()) / double(Duration(minutes(10)).count());
  CHECK(running > 0.25);
  CHECK(running < 0.40);
}

TEST_CASE("decide: an urgent run, and one that asks for it, is never paused") {
  Play urgent;
  urgent.facts.urgent = true;
  urgent.show(with_stall(0.9), minutes(1));
  CHECK(urgent.paused == Duration(0));
  Play never;
  never.priority.pause = PauseMethod::never;
  never.show(with_stall(0.9), minutes(1));
  CHECK(never.paused == Duration(0));
  CHECK(never.state() == Foreground::strained);
}

TEST_CASE(
    "decide: where no knob ranks a job's CPU below the foreground's, only a pause makes room") {
  Play play(Policy::throttle, kNothing);
  Observation full = with_cpu(1.0);
  full.own_cpu = 1.0;
  play.show(full, seconds(1));
  CHECK(play.is_paused());
  Play roomy(Policy::throttle, kNothing);
  Observation half = with_cpu(0.5);
  half.own_cpu = 0.5;
  roomy.show(half, seconds(1));
  CHECK_FALSE(roomy.is_paused());
}

TEST_CASE("decide: important and passive runs stay at light whatever happens") {
  for (const Policy policy : {Policy::important, Policy::passive}) {
    Play play(policy);
    play.show(with_stall(1), minutes(1));
    CHECK(play.path == std::vector<Foreground>{Foreground::light});
    CHECK(std::get<Level>(play.last.what) == levels_of(policy).light);
  }
}

TEST_CASE("decide: a run that somebody holds pauses whatever its policy, deadline or floor says") {
  struct Case {
    const char* what;
    Policy policy = Policy::throttle;
    bool urgent = false;
    Duration max_pause = minutes(4);
    double stall = 0;
  };
  for (const Case& one :
       {Case{"nobody needs the machine"}, Case{"never adapted", Policy::important},
        Case{"passive", Policy::passive}, Case{"past its deadline", Policy::throttle, true},
        Case{"past max_pause", Policy::throttle, false, seconds(1)},
        Case{"strained too", Policy::throttle, false, seconds(1), 0.9}}) {
    CAPTURE(one.what);
    Play play(one.policy);
    play.priority.max_pause = one.max_pause;
    play.facts.urgent = one.urgent;
    play.facts.held = "paused by hand";
    play.show(with_stall(one.stall), minutes(1));
    CHECK(play.paused == Duration(minutes(1)));
    CHECK(play.last.reason == "paused by hand");
    play.facts.held.reset();
    play.show(quiet(), seconds(40));
    CHECK_FALSE(play.is_paused());
    CHECK(play.last.reason.find("paused by hand") == std::string::npos);
  }
}

TEST_CASE("decide: a held run that is never paused goes on at its level and says why") {
  Play play;
  play.priority.pause = PauseMethod::never;
  play.facts.held = "paused by hand";
  play.show(with_cpu(1.4), kTick);
  CHECK(std::get<Level>(play.last.what) == levels_of(Policy::throttle).busy);
  CHECK(play.last.reason ==
        "paused by hand, but this job is never paused; busy: foreground uses 140 % of 200 % CPU");
}

// --- properties, over random foregrounds from fixed seeds

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  double share() { return std::uniform_real_distribution<double>(0, 1)(engine_); }
  int upto(int limit) { return std::uniform_int_distribution<int>(0, limit)(engine_); }
  Observation observation() {
    Observation seen = quiet();
    seen.cpu = upto(3) == 0 ? 2 * share() : 0.3 * share();
    seen.own_cpu = (2 - seen.cpu) * share();
    if (upto(4) == 0) seen.cpu_stall = share();
    if (upto(9) == 0) seen.memory_stall = share();
    seen.devices = {{"sda", share(), upto(2) == 0 ? share() : 0, upto(9) == 0}};
    if (upto(2) != 0) seen.user_away = seconds(upto(400));
    return seen;
  }
  Observation more(Observation seen) {
    seen.cpu = std::min(2.0, seen.cpu + share());
    seen.cpu_stall = std::min(1.0, seen.cpu_stall + share());
    seen.memory_stall = std::min(1.0, seen.memory_stall + share());
    seen.devices[0].foreign = std::min(1.0, seen.devices[0].foreign + share());
    seen.devices[0].heard = seen.devices[0].heard || upto(1) == 0;
    if (seen.user_away && upto(1) == 0) seen.user_away = *seen.user_away / 2;
    return seen;
  }

 private:
  std::mt19937 engine_;
};

/// Greater is more courteous.
int courtesy(const std::variant<Level, Pause>& what) {
  const auto* level = std::get_if<Level>(&what);
  if (level == nullptr) return 1000;
  return level->nice * 10 + (level->io.io_class == IoClass::idle ? 9 : level->io.level);
}

TEST_CASE("decide: more pressure never gives a less courteous answer") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Random random(seed);
    PrioritySpec priority;
    PolicyState state = first_state(seconds(0));
    for (int i = 1; i < 500; ++i) {
      Observation less = random.observation();
      less.at = i * kTick;
      const Observation more = random.more(less);
      const RunFacts facts{random.upto(1) == 0, false};
      const Decision a = decide(priority, kGroups, {}, facts, state, less);
      const Decision b = decide(priority, kGroups, {}, facts, state, more);
      INFO("seed " << seed << ", step " << i);
      REQUIRE(courtesy(b.what) >= courtesy(a.what));
      REQUIRE(b.next.state >= a.next.state);
      state = a.next;
    }
  }
}

TEST_CASE("decide: at most one change down and one up for each period of the foreground") {
  for (const auto& [on, off] : {std::pair{milliseconds(200), milliseconds(800)},
                                {milliseconds(1000), milliseconds(1000)},
                                {milliseconds(3000), milliseconds(7000)},
                                {milliseconds(30'000), milliseconds(30'000)}}) {
    Play play;
    constexpr int kPeriods = 20;
    for (int i = 0; i < kPeriods; ++i) {
      play.show(with_cpu(1.6), on);
      play.show(quiet(), off);
    }
    CHECK(play.path.size() <= 1 + 2 * kPeriods);
    if (off < seconds(3)) CHECK(play.path.size() <= 2);
  }
}

TEST_CASE("decide: no step up before its quiet time, on any foreground") {
  for (unsigned seed = 100; seed < 140; ++seed) {
    Random random(seed);
    const ForegroundSettings settings;
    PolicyState state = first_state(seconds(0));
    Observation seen = quiet();
    for (int i = 1; i < 2000; ++i) {
      if (random.upto(19) == 0) seen = random.upto(1) == 0 ? random.observation() : away(quiet());
      seen.at = i * kTick;
      const PolicyState before = state;
      state = decide({}, kGroups, settings, {true, false}, state, seen).next;
      INFO("seed " << seed << ", step " << i);
      if (state.state < before.state && before.state == Foreground::strained) {
        REQUIRE(seen.at - state.last_strained >= state.hold);
      }
      if (state.state < Foreground::busy && before.state >= Foreground::busy) {
        REQUIRE(seen.at - state.last_busy >= settings.light_after);
      }
      if (state.state < Foreground::light && before.state >= Foreground::light) {
        REQUIRE(seen.at - state.last_active >= settings.idle_after);
        REQUIRE(seen.user_away);
      }
    }
  }
}

TEST_CASE("nice_at_start: a run never gets a nice value that it would have to leave and cannot") {
  const LevelTable levels = levels_of(Policy::throttle);
  // It can come back: the level's own.
  CHECK(nice_at_start(levels, levels.light, kGroups) == 15);
  // It cannot, and nice counts only within the job's own session: the least of its levels.
  CHECK(nice_at_start(levels, levels.light, kUser) == 5);
  // It cannot, and nothing else ranks the job: the most courteous, which costs an idle machine
  // nothing.
  CHECK(nice_at_start(levels, levels.light, {CpuKnob::nice, 20, false}) == 19);
  const LevelTable fixed = levels_of(Policy::important);
  CHECK(nice_at_start(fixed, fixed.light, kUser) == 0);
}

TEST_CASE("decide: others that wait for a disk count for a run that uses one") {
  Play play;
  Observation seen = quiet();
  seen.others_wait = true;
  play.show(seen, seconds(1));
  CHECK(play.state() == Foreground::light);
  play.facts.uses_disk = true;
  play.show(seen, kTick);
  CHECK(play.state() == Foreground::busy);
  CHECK(play.last.reason == "busy: others wait for a disk while our jobs use one");
}

TEST_CASE("decide: jobs take turns only where the foreground wants nearly all CPUs") {
  Observation seen = quiet();
  seen.cpus = 4;
  seen.at = seconds(7);
  for (const auto& [cpu, jobs] : {std::pair{0.0, 4U}, {2.0, 4U}, {3.5, 4U}, {3.6, 1U}, {4.0, 1U}}) {
    seen.cpu = cpu;
    CHECK(whose_turn(seen, 5).at_once == jobs);
  }
  seen.cpu = 0;
  seen.cpus = 0;  // nothing was seen yet
  CHECK(whose_turn(seen, 5).at_once <= 1);
}

TEST_CASE("decide: beside a foreground that wants all, each has its turn and half are nobody's") {
  Observation seen = quiet();
  seen.cpu = 2;
  std::vector<int> turns(3);
  int nobodys = 0;
  for (seen.at = seconds(100); seen.at < seconds(160); seen.at += seconds(1)) {
    const Turn turn = whose_turn(seen, turns.size());
    if (turn.at_once == 0) ++nobodys;
    if (turn.at_once == 1) ++turns.at(turn.first);
  }
  CHECK(nobodys == 30);
  CHECK(turns == std::vector<int>{10, 10, 10});
}

}  // namespace
}  // namespace lull
