#include "jobs/turns.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace {

using namespace lull;
using std::chrono::hours;

constexpr TimePoint kStart = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27);

InLine missed(int slot, std::optional<int> deadline) {
  InLine run{Trigger::catch_up, kStart + hours(slot), std::nullopt};
  if (deadline) run.deadline = kStart + hours(*deadline);
  return run;
}

TEST_CASE(
    "turns: what has just become due goes first, then the oldest deadline, then the oldest slot") {
  const InLine on_time{Trigger::schedule, kStart + hours(9), kStart + hours(90)};
  const InLine retried{Trigger::retry, kStart + hours(1), std::nullopt};
  std::vector<InLine> line{missed(1, std::nullopt), missed(0, std::nullopt),
                           missed(5, 30),           on_time,
                           missed(6, 20),           retried};
  std::stable_sort(line.begin(), line.end(), goes_before);
  std::vector<TimePoint> slots;
  slots.reserve(line.size());
  for (const InLine& run : line)
    slots.push_back(run.slot);
  CHECK(slots == std::vector<TimePoint>{kStart + hours(9), kStart + hours(1), kStart + hours(6),
                                        kStart + hours(5), kStart, kStart + hours(1)});
}

TEST_CASE("turns: a missed run needs a place of its own kind beside one of all") {
  const Places limit{4, 1};
  CHECK(has_place(Trigger::schedule, {3, 1}, limit));
  CHECK(has_place(Trigger::catch_up, {3, 0}, limit));
  CHECK_FALSE(has_place(Trigger::catch_up, {1, 1}, limit));
  CHECK_FALSE(has_place(Trigger::catch_up, {4, 0}, limit));
  CHECK_FALSE(has_place(Trigger::retry, {4, 0}, limit));
}

TEST_CASE("turns: what was missed or due before a sleep waits for the machine to settle") {
  const TimePoint woke = TimePoint(hours(8));
  CHECK(settles(Trigger::catch_up, woke - hours(6), woke));
  CHECK(settles(Trigger::schedule, woke - hours(6), woke));
  CHECK_FALSE(settles(Trigger::schedule, woke, woke));
  CHECK_FALSE(settles(Trigger::schedule, woke + hours(1), woke));
}

}  // namespace
