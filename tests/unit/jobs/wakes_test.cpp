#include "jobs/wakes.hpp"

#include "tests/support/catch.hpp"

#include <chrono>

namespace {

using namespace lull;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

TEST_CASE("wakes: counts from the boot, and from each sleep that it was there to see") {
  const Uptime start{hours(10), hours(4)};  // slept before, and nobody knows when
  Wakes wakes(start);
  CHECK_FALSE(wakes.look(start));
  CHECK(wakes.awake_for(start) == hours(10));

  const Uptime later{hours(11) + microseconds(40), hours(5)};  // read one after the other
  CHECK_FALSE(wakes.look(later));
  CHECK(wakes.awake_for(later) == later.since_boot);

  const Uptime resumed{hours(19), hours(5)};
  CHECK(wakes.look(resumed));
  CHECK_FALSE(wakes.look(resumed));
  CHECK(wakes.awake_for(resumed) == Duration(0));
  CHECK(wakes.awake_for({hours(19) + minutes(2), hours(5) + minutes(2)}) == minutes(2));
}

}  // namespace
