#include "jobs/units.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <limits>

using namespace lull;
using namespace std::chrono_literals;

TEST_CASE("parse_duration: reads whole numbers with units, alone or in a row") {
  struct Case {
    const char* text;
    Duration expected;
  };
  const Case cases[] = {
      {"1us", 1us},
      {"250ms", 250ms},
      {"90s", 90s},
      {"20min", 20min},
      {"6h", 6h},
      {"400d", std::chrono::days(400)},
      {"2w", std::chrono::days(14)},
      {"1h 30min", 90min},
      {"1h30min", 90min},
      {"30min 1h", 90min},
      {" 2 min ", 2min},
      {"0s", 0s},
      {"9223372036854775807us", Duration::max()},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto parsed = parse_duration(c.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == c.expected);
  }
}

TEST_CASE("parse_duration: refuses the rest and names the remedy") {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"", R"(the duration is empty: write a number with a unit, such as "90s", "20min" or "6h")"},
      {"  ",
       R"(the duration is empty: write a number with a unit, such as "90s", "20min" or "6h")"},
      {"6", R"("6" has no unit: write "6s", "6min" or "6h")"},
      {"1h 30", R"("30" has no unit: write "30s", "30min" or "30h")"},
      {"-5min",
       R"("-5min" is negative: write a number with a unit, such as "90s", "20min" or "6h")"},
      {"soon",
       R"("soon" does not start with a number: write a number with a unit, such as "90s", "20min" or "6h")"},
      {"1.5h", R"(a fraction is not accepted: write whole numbers, such as "1h 30min")"},
      {"1,5h", R"(a fraction is not accepted: write whole numbers, such as "1h 30min")"},
      {"5m", R"(unknown unit "m": write "5min")"},
      {"2hours", R"(unknown unit "hours": write "2h")"},
      {"3y", R"(unknown unit "y": write us, ms, s, min, h, d or w)"},
      {"9223372036854775808us",
       R"("9223372036854775808us" is too large for a duration: write a smaller number)"},
      {"99999999999999999999h",
       R"("99999999999999999999h" is too large for a duration: write a smaller number)"},
      {"9223372036854775807us 1us", R"("1us" is too large for a duration: write a smaller number)"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto parsed = parse_duration(c.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().what() == c.error);
  }
}

TEST_CASE("format_duration: writes what parse_duration reads back") {
  struct Case {
    Duration duration;
    const char* expected;
  };
  const Case cases[] = {
      {0s, "0s"},
      {90min, "1h 30min"},
      {2min, "2min"},
      {1500ms, "1s 500ms"},
      {std::chrono::days(400), "400d"},
      {36h, "1d 12h"},
      {7us, "7us"},
  };
  for (const auto& c : cases) {
    CHECK(format_duration(c.duration) == c.expected);
    CHECK(parse_duration(c.expected).value() == c.duration);
  }
  CHECK(parse_duration(format_duration(Duration::max())).value() == Duration::max());
  CHECK(format_duration(-90s) == "-1min 30s");
  CHECK(format_duration(Duration::min()).starts_with("-106751991d"));
}

TEST_CASE("parse_bytes: one-letter units are powers of 1024, those with a B of 1000") {
  struct Case {
    const char* text;
    std::uint64_t expected;
  };
  const Case cases[] = {
      {"500B", 500},          {"10kB", 10'000},           {"10MB", 10'000'000},
      {"3GB", 3'000'000'000}, {"1TB", 1'000'000'000'000}, {"1K", 1024},
      {"512KiB", 524'288},    {"2M", 2U << 20U},          {"2G", 2ULL << 30U},
      {"2GiB", 2ULL << 30U},  {"1T", 1ULL << 40U},        {" 10 MB ", 10'000'000},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto parsed = parse_bytes(c.text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->count == c.expected);
  }
}

TEST_CASE("parse_bytes: refuses the rest and names the remedy") {
  struct Case {
    const char* text;
    const char* error;
  };
  const Case cases[] = {
      {"", R"(the size is empty: write a number with a unit, such as "10MB" or "2G")"},
      {"10", R"("10" has no unit: write "10kB", "10MB" or "10G")"},
      {"10mb", R"(unknown unit "mb": write "10MB")"},
      {"10KB", R"(unknown unit "KB": write "10kB")"},
      {"1.5G",
       R"(a fraction is not accepted: write a whole number of a smaller unit, such as "1536M" for 1.5G)"},
      {"1G 2M", R"("1G 2M" is more than one size: write one, such as "1536M")"},
      {"17179869184G", R"("17179869184G" is too large for a size: write a smaller number)"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto parsed = parse_bytes(c.text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().what() == c.error);
  }
}

TEST_CASE("format_bytes: shows at most three digits in powers of 1000") {
  struct Case {
    std::uint64_t count;
    const char* expected;
  };
  const Case cases[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1000, "1.0 kB"},
      {1234, "1.2 kB"},
      {12'345, "12 kB"},
      {999'400, "999 kB"},
      {999'600, "1.0 MB"},
      {1'240'000'000, "1.2 GB"},
      {std::numeric_limits<std::uint64_t>::max(), "18 EB"},
  };
  for (const auto& c : cases)
    CHECK(format_bytes(Bytes{c.count}) == c.expected);
}
