#include "jobs/turns.hpp"

namespace lull {
namespace {

bool was_missed(const InLine& run) { return run.trigger == Trigger::catch_up; }

}  // namespace

bool settles(Trigger trigger, TimePoint slot, TimePoint woke) {
  return trigger == Trigger::catch_up || slot < woke;
}

bool goes_before(const InLine& a, const InLine& b) {
  if (was_missed(a) != was_missed(b)) return was_missed(b);
  if (!was_missed(a)) return false;
  const TimePoint first = a.deadline.value_or(TimePoint::max());
  const TimePoint second = b.deadline.value_or(TimePoint::max());
  return first != second ? first < second : a.slot < b.slot;
}

bool has_place(Trigger trigger, const Places& taken, const Places& limit) {
  if (taken.all >= limit.all) return false;
  return trigger != Trigger::catch_up || taken.catch_ups < limit.catch_ups;
}

}  // namespace lull
