#include "jobs/decide.hpp"

#include <algorithm>
#include <cmath>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFirstHold = seconds(1);
constexpr Duration kLongestHold = seconds(30);
/// Harm this soon after a step up was done by the step.
constexpr Duration kHarmWindow = seconds(2);
/// A level needs this long to show what it does before a harder one is tried.
constexpr Duration kSettle = milliseconds(500);
/// max_pause, then this long at the busy level: with the default of 4 minutes about 4 % of the
/// time.
constexpr Duration kFloor = seconds(10);

std::string percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

/// One thing that the foreground needs, and how badly.
struct Need {
  Foreground at_least = Foreground::idle;  ///< by the threshold for entering a state
  Foreground still = Foreground::idle;     ///< by the lower one for leaving it
  std::string text;
};

Foreground above(double value, double threshold, Foreground state) {
  return value >= threshold ? state : Foreground::idle;
}

Need cpu_need(const ForegroundSettings& settings, const Observation& seen) {
  Need need;
  need.at_least = std::max(above(seen.cpu, settings.idle_cpu, Foreground::light),
                           above(seen.cpu, settings.busy_cpu, Foreground::busy));
  need.still = std::max(above(seen.cpu, settings.idle_cpu, Foreground::light),
                        above(seen.cpu, settings.calm_cpu, Foreground::busy));
  need.text = "foreground uses " + percent(seen.cpu) + " of " + percent(seen.cpus) + " CPU";
  return need;
}

Need stall_need(const char* of, double stall, const ForegroundSettings& settings) {
  Need need;
  need.at_least = above(stall, settings.strained, Foreground::strained);
  need.still = above(stall, settings.relieved, Foreground::strained);
  need.text = std::string("foreground waits for ") + of + " " + percent(stall) + " of the time";
  return need;
}

Need disk_need(const DeviceUse& disk, const ForegroundSettings& settings) {
  // A disk that is hardly used at all is nobody's bottleneck.
  constexpr double kInUse = 0.02;
  Need need;
  if (disk.heard) {
    need.at_least = need.still = Foreground::busy;
    need.text = disk.name + " serves others while our jobs are held";
  } else if (disk.busy >= kInUse) {
    need.at_least = above(disk.foreign, settings.busy_io, Foreground::busy);
    need.still = above(disk.foreign, settings.calm_io, Foreground::busy);
    need.text = disk.name + " " + percent(disk.busy) + " busy, " + percent(1 - disk.foreign) +
                " of it ours";
  }
  return need;
}

Need wait_need(const Observation& seen) {
  Need need;
  if (!seen.others_wait) return need;
  need.at_least = need.still = Foreground::busy;
  need.text = "others wait for a disk while our jobs use one";
  return need;
}

Need presence_need(const ForegroundSettings& settings, const Observation& seen) {
  Need need;
  const bool away = seen.user_away && *seen.user_away >= settings.away_after;
  need.at_least = need.still = away ? Foreground::idle : Foreground::light;
  need.text = away             ? "nobody is at the machine"
              : seen.user_away ? "someone is at the machine"
                               : "no source tells that nobody is at the machine";
  return need;
}

/// Takes over what is worse, with the words of whoever says so.
void add(Need& all, const Need& one) {
  const bool says_more =
      one.at_least > all.at_least || (one.at_least == all.at_least && one.still > all.still);
  if (says_more && !one.text.empty()) all.text = one.text;
  all.at_least = std::max(all.at_least, one.at_least);
  all.still = std::max(all.still, one.still);
}

Need needs(const ForegroundSettings& settings, const RunFacts& run, const Observation& seen) {
  Need all = presence_need(settings, seen);
  add(all, cpu_need(settings, seen));
  if (run.uses_disk) {
    for (const DeviceUse& disk : seen.devices)
      add(all, disk_need(disk, settings));
    add(all, wait_need(seen));
  }
  add(all, stall_need("a CPU", seen.cpu_stall, settings));
  add(all, stall_need("memory", seen.memory_stall, settings));
  return all;
}

/// Harm counts as strain only once the busy level has had its chance.
void settle(Need& need, const PolicyState& state, Instant now) {
  const bool had_its_chance = state.state >= Foreground::busy && now - state.since >= kSettle;
  if (had_its_chance || state.state == Foreground::strained) return;
  need.at_least = std::min(need.at_least, Foreground::busy);
  need.still = std::min(need.still, Foreground::busy);
}

void remember(const Need& need, PolicyState& state, Instant now) {
  // The lower threshold keeps a state that is entered; it does not stand for one that is not.
  const auto counts = [&](Foreground of) {
    return need.at_least >= of || (state.state >= of && need.still >= of);
  };
  if (counts(Foreground::light)) state.last_active = now;
  if (counts(Foreground::busy)) state.last_busy = now;
  if (counts(Foreground::strained)) state.last_strained = now;
}

/// The hold decays by half a second for each second without harm.
void lengthen_hold(PolicyState& state, Instant now) {
  if (state.resumed.count() == 0 || state.hold.count() == 0) {
    state.hold = kFirstHold;
    return;
  }
  const Duration free = now - state.resumed;
  state.hold = free <= kHarmWindow ? std::min(state.hold * 2, kLongestHold)
                                   : std::max(state.hold - free / 2, kFirstHold);
}

/// The best state that has been earned by quiet.
Foreground earned(const PolicyState& state, const ForegroundSettings& settings, Instant now) {
  if (state.state == Foreground::strained && now - state.last_strained < state.hold) {
    return Foreground::strained;
  }
  if (state.state >= Foreground::busy && now - state.last_busy < settings.light_after) {
    return Foreground::busy;
  }
  if (state.state >= Foreground::light && now - state.last_active < settings.idle_after) {
    return Foreground::light;
  }
  return Foreground::idle;
}

void move_to(PolicyState& state, Foreground to, Instant now) {
  if (to == state.state) return;
  if (to == Foreground::strained) {
    lengthen_hold(state, now);
    state.paused = now;
  } else if (state.state == Foreground::strained) {
    state.resumed = now;
  }
  state.state = to;
  state.since = now;
}

/// Whether a paused run goes on for now although the foreground would rather it did not.
bool is_on_floor(const PrioritySpec& priority, PolicyState& state, Instant now) {
  if (now < state.floor_until) return true;
  if (now - state.paused < priority.max_pause) return false;
  state.floor_until = now + kFloor;
  state.paused = state.floor_until;  // the next pause is as long again
  return true;
}

/// Only a pause makes room where no knob ranks the job's CPU below the foreground's: on the whole
/// machine, or beside what runs in another branch of the cgroups, as a login session does beside a
/// user's services.
bool must_make_room(const Capabilities& can, const ForegroundSettings& settings,
                    const Observation& seen) {
  constexpr double kNearlyFull = 0.9;
  const double unranked = can.cpu == CpuKnob::none     ? seen.cpu
                          : can.cpu == CpuKnob::cgroup ? seen.unranked_cpu
                                                       : 0;
  return unranked >= settings.calm_cpu && seen.cpu + seen.own_cpu >= kNearlyFull * seen.cpus;
}

/// Whoever holds a run has reasons that neither max_pause nor a deadline knows of.
void hold(Decision& decision, const std::string& reason, PauseMethod method) {
  if (method == PauseMethod::never) {
    decision.reason = reason + ", but this job is never paused; " + decision.reason;
  } else {
    decision.what = Pause{};
    decision.reason = reason;
  }
}

Decision decide_for_foreground(const PrioritySpec& priority, const Capabilities& can,
                               const ForegroundSettings& settings, const RunFacts& run,
                               const PolicyState& state, const Observation& seen) {
  Decision decision{priority.levels.light, "", state};
  if (!priority.levels.adapts) {
    decision.reason = "policy " + std::string(to_string(priority.policy)) + " is never adapted";
    return decision;
  }
  PolicyState& next = decision.next;
  Need need = needs(settings, run, seen);
  if (must_make_room(can, settings, seen)) {
    need.at_least = need.still = Foreground::strained;
    need.text += can.cpu == CpuKnob::none
                     ? ", and no knob here ranks the job below it"
                     : ", " + percent(seen.unranked_cpu) +
                           " of it where no weight ranks the job below it (lull doctor)";
  }
  settle(need, next, seen.at);
  remember(need, next, seen.at);
  move_to(next, std::max(need.at_least, earned(next, settings, seen.at)), seen.at);
  decision.reason = std::string(to_string(next.state)) + ": " +
                    (need.at_least < next.state ? "it was so until just now" : need.text);
  decision.what = what_at(priority.levels, next.state);
  if (!std::holds_alternative<Pause>(decision.what)) return decision;
  const bool never = priority.pause == PauseMethod::never;
  if (never || run.urgent || is_on_floor(priority, next, seen.at)) {
    decision.what = priority.levels.busy;
    decision.reason += never        ? "; this job is never paused"
                       : run.urgent ? "; past its deadline it is not paused"
                                    : "; paused for max_pause, it goes on for a while";
  }
  return decision;
}

}  // namespace

PolicyState first_state(Instant now, Foreground state) {
  PolicyState first;
  first.state = std::min(state, Foreground::busy);
  first.since = first.last_active = first.last_busy = first.last_strained = now;
  return first;
}

Turn whose_turn(const Observation& seen, std::size_t count) {
  // Long enough to be worth a wake-up of the caches, short enough that no peer hangs up.
  constexpr Duration kTurn = seconds(1);
  // A job at nice 19 takes some 3 % of a CPU: this stays true beside one for each.
  constexpr double kNearlyAll = 0.9;
  const auto turn = static_cast<std::size_t>(seen.at.count() / kTurn.count());
  if (seen.cpu < kNearlyAll * seen.cpus) {
    return {turn % count, static_cast<std::size_t>(std::max(seen.cpus, 1))};
  }
  return {turn / 2 % count, turn % 2};
}

std::variant<Level, Pause> what_at(const LevelTable& levels, Foreground state) {
  switch (state) {
    case Foreground::idle:
      return levels.idle;
    case Foreground::light:
      return levels.light;
    case Foreground::busy:
      return levels.busy;
    case Foreground::strained:
      return levels.strained;
  }
  return levels.light;
}

Decision decide(const PrioritySpec& priority, const Capabilities& can,
                const ForegroundSettings& settings, const RunFacts& run, const PolicyState& state,
                const Observation& seen) {
  Decision decision = decide_for_foreground(priority, can, settings, run, state, seen);
  if (run.held) hold(decision, *run.held, priority.pause);
  return decision;
}

int nice_at_start(const LevelTable& levels, const Level& first, const Capabilities& can) {
  const auto* strained = std::get_if<Level>(&levels.strained);
  const auto [lowest, highest] = std::minmax({levels.idle.nice, levels.light.nice, levels.busy.nice,
                                              strained ? strained->nice : levels.busy.nice});
  if (!levels.adapts || can.may_renice(highest, lowest)) return first.nice;
  return can.cpu == CpuKnob::nice ? highest : lowest;
}

std::string to_string(const Pause&) { return "pause"; }

std::string to_string(const std::variant<Level, Pause>& what) {
  const auto* level = std::get_if<Level>(&what);
  return level == nullptr ? to_string(Pause{}) : to_string(*level);
}

}  // namespace lull
