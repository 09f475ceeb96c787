#include "jobs/rfc3339.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <string>

namespace {

using namespace lull;
using namespace std::chrono;

TEST_CASE("rfc3339: a time is read with its offset, and written back") {
  const TimePoint time = sys_days(year(2026) / 11 / 22) + hours(1) + minutes(30);
  for (const char* text :
       {"2026-11-22T02:30:00+01:00", "2026-11-22T01:30:00Z", "2026-11-22 01:30:00z",
        "2026-11-21t20:00:00-05:30", "2026-11-22T01:30:00.000+00:00"}) {
    CAPTURE(text);
    const auto read = parse_rfc3339(text);
    REQUIRE(read.has_value());
    CHECK(*read == time);
  }
  CHECK(parse_rfc3339("2026-11-22T01:30:00.25Z").value() == time + milliseconds(250));
  CHECK(parse_rfc3339("2026-11-22T01:30:00.000001Z").value() == time + microseconds(1));
  CHECK(parse_rfc3339(format_rfc3339(time + microseconds(17), Zone())).value() ==
        time + microseconds(17));
}

TEST_CASE("rfc3339: what is no time is refused with an example") {
  for (const char* text : {"", "2026-11-22", "2026-11-22T02:30:00", "2026-11-22T02:30:00+01:00 x",
                           "2026-13-22T02:30:00Z", "2026-02-30T02:30:00Z", "2026-11-22T24:30:00Z",
                           "now", "1700000000"}) {
    CAPTURE(text);
    const auto read = parse_rfc3339(text);
    REQUIRE(read.has_error());
    CHECK_THAT(read.error().what(), ContainsSubstring("2026-11-22T02:30:00+01:00"));
  }
}

}  // namespace
