#include "jobs/due.hpp"

#include "tests/support/catch.hpp"

#include <chrono>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr TimePoint kStart = sys_days(year(2026) / 11 / 22);

Schedule at(const char* text) {
  Schedule schedule;
  schedule.at.push_back(parse_calendar(text).value());
  return schedule;
}

ScheduleState seen(const Clocks& clocks) {
  ScheduleState state;
  state.first_seen = state.considered = clocks;
  return state;
}

std::optional<Due> due(const Schedule& schedule, const ScheduleState& state, TimePoint now) {
  return due_at(schedule, state, {now}, Zone());
}

TEST_CASE("due: a slot is due after its jitter, on time for a minute, missed later") {
  const Schedule schedule = at("02:30");
  ScheduleState state = seen({kStart});
  state.jitter = minutes(10);
  const TimePoint slot = kStart + hours(2) + minutes(30);
  CHECK(next_due(schedule, state, {kStart}, Zone()) == slot + minutes(10));
  CHECK_FALSE(due(schedule, state, slot + minutes(9)));
  CHECK(due(schedule, state, slot + minutes(10)) == Due{slot, Trigger::schedule, {slot}});
  CHECK(due(schedule, state, slot + minutes(12)) == Due{slot, Trigger::catch_up, {slot}});
  const TimePoint latest = slot + days(9);
  CHECK(due(schedule, state, latest + hours(3)) == Due{latest, Trigger::catch_up, {latest}});
}

TEST_CASE("due: the run of a boot comes at once, and what was missed comes with it") {
  Schedule schedule = at("@reboot");
  ScheduleState state = seen({kStart});
  const TimePoint now = kStart + days(1);
  CHECK_FALSE(next_due(schedule, state, {now}, Zone()));
  CHECK_FALSE(due(schedule, state, now));
  state.at_boot = true;
  state.jitter = hours(1);
  CHECK(next_due(schedule, state, {now}, Zone()) <= now);
  CHECK(due(schedule, state, now) == Due{now, Trigger::schedule, {kStart}, true});

  schedule.at.push_back(parse_calendar("02:30").value());
  const TimePoint missed = kStart + hours(2) + minutes(30);
  CHECK(due(schedule, state, now) == Due{now, Trigger::schedule, {missed}, true});
  // A slot whose jitter is not over yet is neither forgotten nor taken along.
  const TimePoint soon = missed + minutes(30);
  CHECK(due(schedule, state, soon) == Due{soon, Trigger::schedule, {kStart}, true});
}

TEST_CASE("due: awake time stands still while the machine sleeps") {
  Schedule schedule;
  schedule.every = Every{hours(6), true};
  ScheduleState state = seen({kStart, hours(100)});
  const Clocks before{kStart + days(3), hours(105)};
  CHECK_FALSE(due_at(schedule, state, before, Zone()));
  CHECK(next_due(schedule, state, before, Zone()) == before.wall + hours(1));
  const Clocks then{kStart + days(4), hours(106)};
  CHECK(due_at(schedule, state, then, Zone()) ==
        Due{then.wall, Trigger::schedule, {kStart, hours(106)}});
  // No supervisor for two slots: one run for both.
  const Clocks later{kStart + days(9), hours(113)};
  CHECK(due_at(schedule, state, later, Zone()) ==
        Due{later.wall - hours(1), Trigger::catch_up, {kStart, hours(112)}});
  state.considered.awake = hours(112);
  CHECK_FALSE(due_at(schedule, state, later, Zone()));
  CHECK(next_due(schedule, state, later, Zone()) == later.wall + hours(5));
  state.jitter = minutes(10);
  CHECK(next_due(schedule, state, later, Zone()) == later.wall + hours(5) + minutes(10));
}

}  // namespace
