// What the loop does to the runs: levels, pauses, turns, slices.
#include "runner/os/cgroup_tree.hpp"
#include "runner/os/machine.hpp"
#include "runner/supervisor/driver.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace lull::supervisor {
namespace {

using std::chrono::seconds;

/// Below this a run costs the foreground nothing that a turn could save. One that wants a whole CPU
/// gets 3 % of it at nice 19 beside a foreground that wants it too.
constexpr double kUsesCpu = 0.005;
/// Eight jobs whose autogroups were written at once had waited 0.7 s; somebody else may write for
/// ever.
constexpr Duration kInVain = seconds(5);
/// What a run weighs in its group while it is paused.
constexpr Level kPaused{kIdleNice, {IoClass::idle, 0}};

}  // namespace

bool Driver::may_be_held(const Driven& driven) {
  return is_moved(driven) && driven.run.priority.pause != PauseMethod::never;
}

void Driver::hold(Driven& driven, Hold why, bool on, Instant now) {
  const auto any = [&] {
    return std::any_of(driven.holds.begin(), driven.holds.end(), [](bool held) { return held; });
  };
  const bool before = any();
  driven.holds[why] = on;
  if (any() == before) return;
  if (before) {
    driven.freezer.thaw();
    driven.frozen += now - driven.frozen_since;
  } else {
    driven.freezer.freeze(sampler_.outside_of(driven.run.key));
    driven.frozen_since = now;
  }
}

void Driver::act(Driven& driven, const Decision& decision, Instant now) {
  const auto* level = std::get_if<Level>(&decision.what);
  LevelChange change{os::now(), driven.state.state, to_string(decision.what), {}, decision.reason};
  if (level != nullptr) {
    change.applied = driven.actuator.apply(*level);
    for (const std::string& folder : driven.run.processes.cgroups)
      units_.tell(folder, *level);
  }
  hold(driven, kForPause, level == nullptr, now);
  if (level == nullptr) {
    change.applied = driven.actuator.read_back();
    change.applied.emplace_back("pause", std::string(driven.freezer.knob()));
  }
  driven.what = decision.what;
  // The kernel would not take the value that is to make room: until it does, nothing runs.
  const bool makes_room = driven.run.can.cpu == CpuKnob::autogroup &&
                          driven.state.state >= Foreground::busy && may_be_held(driven);
  hold(driven, kForAutogroup, makes_room && driven.actuator.awaits_autogroup(), now);
  changes_.push_back({driven.run.key, std::move(change), driven.frozen});
}

/// Decides once more, and lets go of a held run for all the loop's own reasons.
void Driver::hold_from_now(Driven& driven, Instant now) {
  // The keeper of a run that is never adapted was not told when it was added.
  if (is_held(driven)) os::tell_keeper(driven.run.processes.keeper);
  Observation seen = seen_;
  seen.at = now;
  decide_one(driven, seen);
  if (is_held(driven)) {
    for (const Hold why : {kForTurn, kForSlice, kForAutogroup})
      hold(driven, why, false, now);
  }
  weigh_groups();
}

/// Where each job is a group of its own beside the foreground, N of them would cost N shares. So
/// while the foreground is busy those that use the CPU go in turns.
void Driver::take_turns(Instant now) {
  std::vector<Driven*> turning;
  for (auto& [key, driven] : runs_) {
    const bool turns = driven.run.can.cpu != CpuKnob::cgroup && may_be_held(driven) &&
                       driven.state.state >= Foreground::busy && !driven.holds[kForPause] &&
                       driven.cpu >= kUsesCpu;
    if (turns) {
      turning.push_back(&driven);
    } else {
      hold(driven, kForTurn, false, now);
    }
  }
  if (turning.empty()) return;
  const std::size_t count = turning.size();
  const Turn turn = whose_turn(seen_, count);
  for (std::size_t i = 0; i < count; ++i) {
    // Only the most courteous have turns that are nobody's.
    const auto* level = std::get_if<Level>(&turning[i]->what);
    const bool rests = level != nullptr && level->nice >= kIdleNice;
    const std::size_t at_once = std::max<std::size_t>(turn.at_once, rests ? 0 : 1);
    hold(*turning[i], kForTurn, (i + count - turn.first) % count >= at_once, now);
  }
}

/// All jobs in one of lull's groups weigh as much as the most favoured of them.
std::map<std::string, Level> Driver::wanted_group_levels() const {
  std::map<std::string, Level> levels;
  const auto weigh = [&](const std::string& folder, const Level& own) {
    for (const std::string& above : os::lull_groups_above(folder)) {
      const auto [group, fresh] = levels.try_emplace(above, own);
      if (!fresh) group->second = more_favoured(group->second, own);
    }
  };
  for (const auto& [key, driven] : runs_) {
    if (!driven.run.priority.levels.adapts) continue;  // it has a group elsewhere
    const auto* level = std::get_if<Level>(&driven.what);
    for (const std::string& folder : driven.run.processes.cgroups)
      weigh(folder, level == nullptr ? kPaused : *level);
  }
  return levels;
}

void Driver::weigh_groups() {
  auto levels = wanted_group_levels();
  // A slice outlives its runs, and the next one in it is not to begin with what the last had.
  for (const auto& [folder, level] : group_levels_) {
    if (folder.ends_with(".slice")) levels.try_emplace(folder, kPaused);
  }
  for (const auto& [folder, level] : levels) {
    const auto last = group_levels_.find(folder);
    if (last != group_levels_.end() && last->second == level) continue;
    os::set_group_weight(folder, level);
    units_.tell(folder, level);
  }
  group_levels_ = std::move(levels);
}

void Driver::look_after_autogroups(Instant now) {
  for (auto& [key, driven] : runs_) {
    if (driven.run.can.cpu != CpuKnob::autogroup) continue;
    const bool awaited = driven.actuator.awaits_autogroup();
    driven.actuator.look_after_autogroups(sampler_.tree_of(key));
    if (driven.holds[kForAutogroup] && now - driven.frozen_since >= kInVain)
      hold(driven, kForAutogroup, false, now);
    if (!awaited || driven.actuator.awaits_autogroup()) continue;
    hold(driven, kForAutogroup, false, now);
    changes_.push_back(
        {key,
         {os::now(), driven.state.state, to_string(driven.what), driven.actuator.read_back(),
          "the kernel took the autogroup's nice value late"},
         driven.frozen});
  }
}

Duration Driver::slice(Instant now) {
  const SliceStep next = step(slice_, ear(now));
  slice_ = next.next;
  if (next.glance) next_sample_ = now;
  if (next.heard) looks_.heard(now);
  for (auto& [key, driven] : runs_)
    hold(driven, kForSlice, next.freeze && is_sliced(driven, now), now);
  return next.again;
}

}  // namespace lull::supervisor
