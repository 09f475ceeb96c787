#include "jobs/schedule.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr TimePoint kStart = sys_days(year(2026) / 11 / 22);

Schedule at(const std::vector<std::string>& expressions) {
  Schedule schedule;
  for (const std::string& text : expressions)
    schedule.at.push_back(parse_calendar(text).value());
  return schedule;
}

Schedule every(Duration period) {
  Schedule schedule;
  schedule.every = Every{period, false};
  return schedule;
}

TEST_CASE("schedule: the next slot is the first of all expressions") {
  const Schedule schedule = at({"18:00", "02:30", "2020-01-01"});
  CHECK(next_slot(schedule, kStart, kStart, Zone()) == kStart + hours(2) + minutes(30));
  CHECK(next_slot(schedule, kStart + hours(3), kStart, Zone()) == kStart + hours(18));
  CHECK_FALSE(next_slot(at({"2020-01-01"}), kStart, kStart, Zone()));
  CHECK_FALSE(next_slot(Schedule(), kStart, kStart, Zone()));
}

TEST_CASE("schedule: every is a grid from the first sight, one period after it") {
  const Schedule schedule = every(hours(6));
  CHECK(next_slot(schedule, kStart - days(3), kStart, Zone()) == kStart + hours(6));
  CHECK(next_slot(schedule, kStart, kStart, Zone()) == kStart + hours(6));
  CHECK(next_slot(schedule, kStart + hours(6), kStart, Zone()) == kStart + hours(12));
  CHECK(next_slot(schedule, kStart + hours(7), kStart, Zone()) == kStart + hours(12));
  CHECK(next_slot(schedule, kStart + hours(12) - microseconds(1), kStart, Zone()) ==
        kStart + hours(12));
}

TEST_CASE("schedule: absurd periods and instants neither overflow nor loop") {
  CHECK_FALSE(next_slot(every(Duration::max()), kStart, kStart, Zone()));
  CHECK_FALSE(next_slot(every(Duration(0)), kStart, kStart, Zone()));
  CHECK_FALSE(next_slot(every(hours(1)), TimePoint::max(), kStart, Zone()));
  CHECK(next_slot(every(hours(1)), TimePoint::min(), kStart, Zone()) == kStart + hours(1));
  CHECK(last_slot(at({"daily"}), TimePoint::min(), kStart, kStart, Zone()) == kStart);
  CHECK(last_slot(at({"2025-01-01"}), TimePoint::min(), TimePoint::max(), kStart, Zone()) ==
        TimePoint(sys_days(year(2025) / 1 / 1)));
}

TEST_CASE("schedule: the last slot lies after `after`, and at `until` at the latest") {
  const Schedule daily = at({"02:30", "18:00"});
  const TimePoint slot = kStart + hours(18);
  CHECK(last_slot(daily, kStart - days(400), slot, kStart, Zone()) == slot);
  CHECK(last_slot(daily, kStart - days(400), slot - microseconds(1), kStart, Zone()) ==
        kStart + hours(2) + minutes(30));
  CHECK_FALSE(last_slot(daily, slot, slot, kStart, Zone()));
  CHECK_FALSE(last_slot(daily, slot, slot + hours(1), kStart, Zone()));
  CHECK_FALSE(last_slot(daily, slot, slot - days(1), kStart, Zone()));

  const Schedule grid = every(hours(6));
  CHECK(last_slot(grid, kStart, kStart + hours(20), kStart, Zone()) == kStart + hours(18));
  CHECK(last_slot(grid, kStart, kStart + hours(18), kStart, Zone()) == kStart + hours(18));
  CHECK_FALSE(last_slot(grid, kStart + hours(18), kStart + hours(20), kStart, Zone()));
  CHECK_FALSE(last_slot(grid, kStart - days(1), kStart + hours(5), kStart, Zone()));
}

/// The slow way to last_slot().
std::optional<TimePoint> stepped_slot(const Schedule& schedule, TimePoint from, TimePoint until,
                                      const Zone& zone) {
  std::optional<TimePoint> last;
  for (auto slot = next_slot(schedule, from, from, zone); slot && *slot <= until;
       slot = next_slot(schedule, *slot, from, zone)) {
    last = slot;
  }
  return last;
}

TEST_CASE("schedule: the last slot is the one that stepping arrives at") {
  const std::string text =
      GENERATE("*:0/7", "02:30", "Mon..Fri 9..17:0/20", "*-*-1 00:00", "0 0 13 * 5");
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const Schedule schedule = at({text});
  const TimePoint from = sys_days(year(2026) / 10 / 20);
  for (TimePoint until = from; until < from + days(14); until += minutes(311)) {
    CAPTURE(text, until.time_since_epoch().count());
    REQUIRE(last_slot(schedule, from, until, from, berlin) ==
            stepped_slot(schedule, from, until, berlin));
  }
}

TEST_CASE("schedule: millions of missed slots cost as little as one") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const TimePoint until = kStart + microseconds(500'000);
  CHECK(last_slot(at({"*:*:*"}), kStart - days(20'000), until, kStart, berlin) == kStart);
  CHECK(last_slot(every(microseconds(1)), kStart - days(365), kStart, kStart - days(365), berlin) ==
        kStart);
}

TEST_CASE("schedule: jitter is stable, below its bound, and differs between jobs and machines") {
  constexpr Duration kJitter = minutes(20);
  CHECK(jitter_offset(Duration(0), "m", "job") == Duration(0));
  CHECK(jitter_offset(kJitter, "m", "job") == jitter_offset(kJitter, "m", "job"));
  // Written down once: it must stay the same from version to version.
  CHECK(jitter_offset(kJitter, "0123456789abcdef", "backup") == microseconds(172'390'976));
  std::set<Duration> offsets;
  Duration sum{0};
  for (int i = 0; i < 1000; ++i) {
    const Duration offset = jitter_offset(kJitter, "machine", "job" + std::to_string(i));
    CHECK(offset >= Duration(0));
    CHECK(offset < kJitter);
    offsets.insert(offset);
    sum += offset;
  }
  CHECK(offsets.size() > 990);
  CHECK(sum / 1000 > kJitter * 45 / 100);
  CHECK(sum / 1000 < kJitter * 55 / 100);
  CHECK(jitter_offset(kJitter, "a", "bc") != jitter_offset(kJitter, "ab", "c"));
}

}  // namespace
