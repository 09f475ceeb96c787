#pragma once

#include "jobs/run.hpp"
#include "jobs/units.hpp"

#include <optional>

namespace lull {

/// A recorded run in the line of those that nothing holds but that others run.
struct InLine {
  Trigger trigger = Trigger::schedule;
  TimePoint slot;
  std::optional<TimePoint> deadline;  ///< when it is to start although its gates are shut
};

/// Whether `a` is started before `b`: what has just become due before what was missed, and of that
/// what has the oldest deadline, or without one the oldest slot. Neither goes before the other: as
/// they came.
bool goes_before(const InLine& a, const InLine& b);

/// Whether a run waits until the machine has settled since it was started or resumed at `woke`:
/// what was missed, and what was due before it went to sleep.
bool settles(Trigger trigger, TimePoint slot, TimePoint woke);

/// How many runs that nobody started by hand there are, or may be, at once.
struct Places {
  int all = 0;
  int catch_ups = 0;  ///< of these
};

/// Whether one more may start.
bool has_place(Trigger trigger, const Places& taken, const Places& limit);

}  // namespace lull
