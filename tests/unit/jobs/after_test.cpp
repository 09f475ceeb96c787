#include "jobs/after.hpp"

#include "tests/support/catch.hpp"

#include <chrono>

namespace {

using namespace lull;
using namespace std::chrono;
using Names = std::vector<std::string>;

constexpr TimePoint kNoon = sys_days(year(2026) / 11 / 22) + hours(12);

TEST_CASE("after: a cycle is found from each job in it, and from no other") {
  const AfterGraph graph{{"backup", {"prune", "mount"}},
                         {"mount", {}},
                         {"prune", {"verify"}},
                         {"verify", {"mount", "backup"}},
                         {"report", {"backup"}}};
  CHECK(cycle_through(graph, "backup") == Names{"backup", "prune", "verify", "backup"});
  CHECK(cycle_through(graph, "verify") == Names{"verify", "backup", "prune", "verify"});
  CHECK(cycle_through(graph, "report").empty());
  CHECK(cycle_through(graph, "mount").empty());
  CHECK(cycle_through(graph, "unknown").empty());
  CHECK(cycle_through({{"a", {"a"}}}, "a") == Names{"a", "a"});
  CHECK(cycle_through({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}}, "a").empty());
}

TEST_CASE("after: successes count from the slot before, or else from the last run") {
  const TimePoint seen = kNoon - days(30);
  const auto from = [&](const std::optional<Schedule>& schedule, std::optional<TimePoint> last) {
    return successes_count_from(schedule, kNoon, last, seen, Zone());
  };
  Schedule daily;
  daily.at = {parse_calendar("12:00").value()};
  CHECK(from(daily, kNoon - hours(1)) == kNoon - days(1));
  Schedule grid;
  grid.every = Every{hours(7), false};
  CHECK(from(grid, {}) == kNoon - days(30) + hours(7) * 102);
  grid.every->awake = true;
  CHECK(from(grid, kNoon - hours(1)) == kNoon - hours(1));
  CHECK(from(std::nullopt, kNoon - hours(1)) == kNoon - hours(1));
  CHECK(from(std::nullopt, {}) == seen);
}

}  // namespace
