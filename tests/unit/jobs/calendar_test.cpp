#include "jobs/calendar.hpp"

#include "jobs/rfc3339.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;
using Texts = std::vector<std::string>;

Zone zone_of(const std::string& name) { return Zone::find(name).value(); }

TimePoint utc(int y, int m, int d, int hour = 0, int minute = 0, int second = 0) {
  return sys_days(year(y) / m / d) + hours(hour) + minutes(minute) + seconds(second);
}

/// The next `count` slots as people write them.
Texts slots(const std::string& expression, TimePoint after, const std::string& zone, int count) {
  const Calendar calendar = parse_calendar(expression).value();
  Texts texts;
  for (auto slot = next(calendar, after, zone_of(zone)); slot && count > 0; --count) {
    texts.push_back(format_rfc3339(*slot, zone_of(zone)));
    slot = next(calendar, *slot, zone_of(zone));
  }
  return texts;
}

struct Form {
  std::string text;
  std::string normalized;
};

TEST_CASE("calendar: the normalised form writes every component") {
  const auto row = GENERATE(
      Form{"02:30", "*-*-* 02:30:00"}, Form{"2:3:4", "*-*-* 02:03:04"},
      Form{" Mon..Fri\t18:00 ", "Mon..Fri *-*-* 18:00:00"},
      Form{"Mon..Fri *-*-* 02:30:00", "Mon..Fri *-*-* 02:30:00"},
      Form{"monday,Wednesday 5:00", "Mon,Wed *-*-* 05:00:00"},
      Form{"Sat,Sun 5:00", "Sat,Sun *-*-* 05:00:00"},
      Form{"Sun,Sat,Mon", "Mon,Sat,Sun *-*-* 00:00:00"},
      Form{"Mon-Fri 5:00", "Mon..Fri *-*-* 05:00:00"}, Form{"mon..sun 5:00", "*-*-* 05:00:00"},
      Form{"minutely", "*-*-* *:*:00"}, Form{"Hourly", "*-*-* *:00:00"},
      Form{"daily", "*-*-* 00:00:00"}, Form{"weekly", "Mon *-*-* 00:00:00"},
      Form{"monthly", "*-*-01 00:00:00"}, Form{"quarterly", "*-01,04,07,10-01 00:00:00"},
      Form{"semiannually", "*-01,07-01 00:00:00"}, Form{"yearly", "*-01-01 00:00:00"},
      Form{"annually", "*-01-01 00:00:00"}, Form{"daily utc", "*-*-* 00:00:00 UTC"},
      Form{"2026-11-22", "2026-11-22 00:00:00"}, Form{"26-11-22", "2026-11-22 00:00:00"},
      Form{"11-22", "*-11-22 00:00:00"},
      Form{"2026-11-22 02:30 Europe/Berlin", "2026-11-22 02:30:00 Europe/Berlin"},
      Form{"2026-11-22 02:30 UTC", "2026-11-22 02:30:00 UTC"}, Form{"*:0/15", "*-*-* *:00/15:00"},
      Form{"*:*:*", "*-*-* *:*:*"}, Form{"*:*:0/1", "*-*-* *:*:*"},
      Form{"0/1:00", "*-*-* 00/1:00:00"}, Form{"5,3,5:00", "*-*-* 03,05:00:00"},
      Form{"10..20/3:00", "*-*-* 10..19/3:00:00"}, Form{"1..1:00", "*-*-* 01:00:00"},
      Form{"5:00,30..40/5", "*-*-* 05:00,30..40/5:00"}, Form{"9..17:00", "*-*-* 09..17:00:00"},
      Form{"2026-2-30", "2026-02-30 00:00:00"}, Form{"*-*~1", "*-*~01 00:00:00"},
      Form{"2~7/1", "*-02~07/1 00:00:00"}, Form{"Mon *-05~07/1", "Mon *-05~07/1 00:00:00"},
      Form{"*-*~1..7 5:00", "*-*~01..07 05:00:00"},
      Form{"*-*~1,10,28/9", "*-*~01,10,28/9 00:00:00"}, Form{"*~*", "*-*-* 00:00:00"},
      Form{"*:*:0.5", "*-*-* *:*:00.500000"},
      Form{"*:*:3.33/10.05", "*-*-* *:*:03.330000/10.050000"},
      Form{"0:0:1.5..9.5", "*-*-* 00:00:01.500000..09.500000"},
      Form{"0:0:0..0.5/0.1", "*-*-* 00:00:00..00.500000/0.100000"},
      Form{"0:0:0.12345678", "*-*-* 00:00:00.123457"}, Form{"0:0:0.9999999", "*-*-* 00:00:01"},
      Form{"@0", "1970-01-01 00:00:00 UTC"}, Form{"@1700000000", "2023-11-14 22:13:20 UTC"},
      Form{"@7258118399", "2199-12-31 23:59:59 UTC"},
      Form{"Fri *-1/3-1..7 5:00:30", "Fri *-01/3-01..07 05:00:30"});
  CAPTURE(row.text);
  const auto calendar = parse_calendar(row.text);
  REQUIRE(calendar.has_value());
  CHECK(to_string(*calendar) == row.normalized);
  CHECK(parse_calendar(row.normalized).value() == *calendar);
}

struct Refusal {
  std::string text;
  std::string wrong;
  std::string remedy;
};

TEST_CASE("calendar: an error says what is wrong and what to write instead") {
  const auto row = GENERATE(
      Refusal{"", "empty", "02:30"}, Refusal{" \t", "empty", "daily"},
      Refusal{"24:00", "hour \"24\" is out of range", "0 to 23"},
      Refusal{"0:60", "minute \"60\" is out of range", "0 to 59"},
      Refusal{"0:0:60", "second \"60\" is out of range", "0 to 59"},
      Refusal{"*-13-1", "month \"13\"", "1 to 12"}, Refusal{"*-1-32", "day \"32\"", "1 to 31"},
      Refusal{"1900-1-1", "year \"1900\"", "1970 to 2199"},
      Refusal{"dayly", "unknown word \"dayly\"", "daily"},
      Refusal{"02:30 Europe/Berlim", "unknown time zone \"Europe/Berlim\"", "Europe/Berlin"},
      Refusal{"Sat..Mon 3:00", "end before they begin", "Sat,Sun,Mon"},
      Refusal{"22..6:00", "ends before it begins", "two ranges"},
      Refusal{"*:*/15", "mixes '*'", "0/15"}, Refusal{"*:0/0", "step", "1 to 59"},
      Refusal{"*:50/15", "never repeats", "write 50 alone"},
      Refusal{"2026-11-22T02:30", "together", "\"2026-11-22 02:30\""},
      Refusal{"9-17:00", "range with '-'", "9..17"},
      Refusal{"02", "no weekday, date or time", "02:30"},
      Refusal{"30 2 * *", "no weekday, date or time", "five fields"},
      Refusal{"Mon 02:30 03:30", "one word too many", "[zone]"},
      Refusal{"1:2:3:4", "too many parts", "hour:minute:second"},
      Refusal{"1-2-3-4", "no weekday, date or time", "2026-11-22"},
      Refusal{"*-*~29", "day before the month's end \"29\"", "1 to 28"},
      Refusal{"*-*~7/7", "never repeats", "write 7 alone"},
      Refusal{"*-*~7..1", "ends before it begins", "two ranges"},
      Refusal{"2026~3", "month \"2026\"", "1 to 12"}, Refusal{"*~1-1", "\"1-1\"", "9..17"},
      Refusal{"1~2:00", "hour \"1~2\"", "only a day can"},
      Refusal{"0:0.5", "only seconds have", "9..17"},
      Refusal{"0:0:0..0.5", "less than a second", "0..0.5/0.1"},
      Refusal{"0:0:59.9999999", "out of range", "0 to 59"},
      Refusal{"0:0:1.", "no number", "0 to 59"}, Refusal{"0:0:1.x", "no number", "0 to 59"},
      Refusal{"@7258118400", "is no time", "@7258118399"},
      Refusal{"@17.5", "is no time", "since 1970"}, Refusal{"@dayly", "@dayly", "@daily"},
      Refusal{"99999999999:00", "no number", "0 to 23"}, Refusal{"1:,2", "no number", "0 to 59"});
  CAPTURE(row.text);
  const auto calendar = parse_calendar(row.text);
  REQUIRE(calendar.has_error());
  CHECK_THAT(calendar.error().what(), ContainsSubstring(row.wrong));
  CHECK_THAT(calendar.error().what(), ContainsSubstring(row.remedy));
}

TEST_CASE("calendar: next is strictly after, and fractions of a second count") {
  const TimePoint slot = utc(2026, 11, 22, 2, 30);
  const Calendar calendar = parse_calendar("02:30").value();
  CHECK(next(calendar, slot - microseconds(1), Zone()) == slot);
  CHECK(next(calendar, slot, Zone()) == slot + days(1));
  CHECK(next(calendar, slot + microseconds(1), Zone()) == slot + days(1));
}

TEST_CASE("calendar: what never comes (again) is nothing, whoever asks") {
  for (const char* text : {"*-02-30", "2026-02-29", "Mon 2026-11-22", "2020-01-01 00:00",
                           "*-2,4,6,9,11-31", "Wed 2024..2030-02-29"}) {
    CAPTURE(text);
    CHECK_FALSE(next(parse_calendar(text).value(), utc(2026, 11, 21), zone_of("Europe/Berlin")));
  }
  CHECK_FALSE(next(parse_calendar("daily").value(), TimePoint::max(), zone_of("Europe/Berlin")));
  CHECK(next(parse_calendar("daily").value(), TimePoint::min(), Zone()) == utc(1970, 1, 1));
}

TEST_CASE("calendar: rare dates are found") {
  CHECK(slots("*-02-29", utc(2096, 3, 1), "UTC", 1) == Texts{"2104-02-29T00:00:00+00:00"});
  CHECK(slots("Fri *-*-13", utc(2026, 4, 1), "UTC", 2) ==
        Texts{"2026-11-13T00:00:00+00:00", "2027-08-13T00:00:00+00:00"});
  CHECK(slots("2026..2028/2-1-1", utc(2026, 4, 1), "UTC", 3) == Texts{"2028-01-01T00:00:00+00:00"});
  CHECK(slots("2199-12-31 23:59:59", utc(2026, 4, 1), "UTC", 2) ==
        Texts{"2199-12-31T23:59:59+00:00"});
}

TEST_CASE("calendar: days count from the month's end, whatever its length") {
  CHECK(slots("*-*~1 12:00", utc(2028, 1, 20), "UTC", 4) ==
        Texts{"2028-01-31T12:00:00+00:00", "2028-02-29T12:00:00+00:00", "2028-03-31T12:00:00+00:00",
              "2028-04-30T12:00:00+00:00"});
  CHECK(slots("*-02~28", utc(2026, 1, 1), "UTC", 3) == Texts{"2026-02-01T00:00:00+00:00",
                                                             "2027-02-01T00:00:00+00:00",
                                                             "2028-02-02T00:00:00+00:00"});
  // The last Monday of May.
  CHECK(slots("Mon *-05~07/1", utc(2026, 1, 1), "UTC", 2) ==
        Texts{"2026-05-25T00:00:00+00:00", "2027-05-31T00:00:00+00:00"});
  CHECK(slots("2026-11~1..9/4", utc(2026, 1, 1), "UTC", 4) == Texts{"2026-11-22T00:00:00+00:00",
                                                                    "2026-11-26T00:00:00+00:00",
                                                                    "2026-11-30T00:00:00+00:00"});
  CHECK(slots("2026-11~9/4", utc(2026, 1, 1), "UTC", 4) == Texts{"2026-11-22T00:00:00+00:00",
                                                                 "2026-11-26T00:00:00+00:00",
                                                                 "2026-11-30T00:00:00+00:00"});
}

TEST_CASE("calendar: seconds have fractions") {
  CHECK(slots("00:00:3.33/10.05", utc(2026, 11, 22), "UTC", 2) ==
        Texts{"2026-11-22T00:00:03.33+00:00", "2026-11-22T00:00:13.38+00:00"});
  CHECK(slots("*:*:0.5", utc(2026, 11, 22) + milliseconds(500), "UTC", 1) ==
        Texts{"2026-11-22T00:01:00.5+00:00"});
}

TEST_CASE("calendar: a zone of its own goes before the job's") {
  CHECK(slots("02:30 America/New_York", utc(2026, 11, 22), "Europe/Berlin", 1) ==
        Texts{"2026-11-22T08:30:00+01:00"});
}

TEST_CASE("calendar: a time in the gap runs once, at the first instant after it") {
  CHECK(
      slots("02:30", utc(2026, 3, 28, 12), "Europe/Berlin", 3) ==
      Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00", "2026-03-31T02:30:00+02:00"});
  CHECK(slots("02:00/10", utc(2026, 3, 28, 12), "Europe/Berlin", 2) ==
        Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"});
  CHECK(slots("02,03:00", utc(2026, 3, 28, 12), "Europe/Berlin", 2) ==
        Texts{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"});
  CHECK(slots("*:0/30", utc(2026, 3, 29, 0, 30), "Europe/Berlin", 2) ==
        Texts{"2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"});
  CHECK(slots("02:30", utc(2026, 3, 7, 12), "America/New_York", 1) ==
        Texts{"2026-03-08T03:00:00-04:00"});
  CHECK(slots("02:10", utc(2026, 10, 3), "Australia/Lord_Howe", 2) ==
        Texts{"2026-10-04T02:30:00+11:00", "2026-10-05T02:10:00+11:00"});
}

TEST_CASE("calendar: in the fold fixed times run once, wildcard hours on both passes") {
  CHECK(slots("02:30", utc(2026, 10, 24, 12), "Europe/Berlin", 2) ==
        Texts{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"});
  CHECK(
      slots("01..03:00", utc(2026, 10, 24, 22), "Europe/Berlin", 3) ==
      Texts{"2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"});
  CHECK(
      slots("hourly", utc(2026, 10, 24, 23), "Europe/Berlin", 3) ==
      Texts{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"});
  CHECK(
      slots("0/2:15", utc(2026, 10, 24, 23), "Europe/Berlin", 3) ==
      Texts{"2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00", "2026-10-25T04:15:00+01:00"});
  CHECK(slots("01:30", utc(2026, 10, 31, 12), "America/New_York", 2) ==
        Texts{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"});
  CHECK(slots("*:45", utc(2026, 4, 4, 14), "Australia/Lord_Howe", 4) ==
        Texts{"2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30", "2026-04-05T02:45:00+10:30",
              "2026-04-05T03:45:00+10:30"});
}

TEST_CASE("calendar: asked in the second pass, a fixed time of it has been") {
  const TimePoint second_pass = utc(2026, 10, 25, 1, 10);  // 02:10 once more
  CHECK(slots("02:30", second_pass, "Europe/Berlin", 1) == Texts{"2026-10-26T02:30:00+01:00"});
  CHECK(slots("*:30", second_pass, "Europe/Berlin", 1) == Texts{"2026-10-25T02:30:00+01:00"});
}

TEST_CASE("calendar: a value is small") {
  CHECK(sizeof(Calendar) <= 80);
  CHECK(parse_calendar("Mon..Fri *-*-* 02:30:00")->parts.capacity() * sizeof(CalendarPart) <= 64);
}

// Properties over generated expressions ---------------------------------------------------------

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int number(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  bool chance(int percent) { return number(1, 100) <= percent; }

  std::string expression() {
    static constexpr const char* kDays[] = {"", "", "", "Mon ", "Sat,Sun ", "Tue..Thu "};
    std::string text = kDays[number(0, 5)];
    if (chance(50)) {
      text += "*-" + component(1, 12, 60) + (chance(80) ? '-' + component(1, 28, 40) : from_end()) +
              ' ';
    }
    text += component(0, 23, 40) + ':' + component(0, 59, 20) + ':';
    return text + (chance(10) ? std::to_string(number(0, 59)) + ".25" : component(0, 59, 2));
  }

 private:
  std::string component(int first, int last, int star) {
    if (chance(star)) return "*";
    std::string text = element(first, last);
    for (int more = number(0, 2); more > 0; --more)
      text += ',' + element(first, last);
    return text;
  }

  std::string from_end() {
    const int start = number(2, 28);
    return '~' + std::to_string(start) +
           (chance(50) ? '/' + std::to_string(number(1, start - 1)) : "");
  }

  std::string element(int first, int last) {
    const int start = number(first, last - 1);
    const int stop = number(start + 1, last);
    switch (number(0, 3)) {
      case 0:
        return std::to_string(start) + ".." + std::to_string(stop);
      case 1:
        return std::to_string(start) + ".." + std::to_string(stop) + '/' +
               std::to_string(number(1, last - first));
      case 2:
        return std::to_string(start) + '/' + std::to_string(number(1, last - start));
      default:
        return std::to_string(start);
    }
  }

  std::mt19937 random_;
};

constexpr unsigned kSeed = 20261122;

TEST_CASE("calendar: next is strictly after and does not depend on where one asks from") {
  Generator generator(kSeed);
  const std::vector<Zone> zones{zone_of("Europe/Berlin"), zone_of("America/New_York"),
                                zone_of("Australia/Lord_Howe")};
  for (int i = 0; i < 3000; ++i) {
    const std::string text = generator.expression();
    const Calendar calendar = parse_calendar(text).value();
    const Zone& zone = zones[static_cast<std::size_t>(generator.number(0, 2))];
    const TimePoint after = utc(2026, 1, 1) + minutes(generator.number(0, 20'000'000));
    const auto slot = next(calendar, after, zone);
    CAPTURE(text, zone.name(), format_rfc3339(after, zone));
    REQUIRE(slot);
    REQUIRE(*slot > after);
    REQUIRE(next(calendar, *slot - microseconds(1), zone) == slot);
    REQUIRE(next(calendar, after + (*slot - after) / 2, zone) == slot);
    REQUIRE(parse_calendar(to_string(calendar)).value() == calendar);
  }
}

/// The slots between two instants by the rules read literally: the civil times that match (a
/// calendar in UTC finds them) are mapped to instants one by one.
std::vector<TimePoint> mapped_slots(const Calendar& calendar, TimePoint from, TimePoint to,
                                    const Zone& zone) {
  std::vector<TimePoint> found;
  for (auto civil = next(calendar, from - hours(30), Zone()); civil && *civil < to + hours(30);
       civil = next(calendar, *civil, Zone())) {
    const auto instants = zone.to_instants(CivilTime(civil->time_since_epoch()));
    found.push_back(instants.first);
    if (has_wildcard_hour(calendar)) found.push_back(instants.last);
  }
  std::erase_if(found, [&](TimePoint slot) { return slot <= from || slot > to; });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

TEST_CASE("calendar: around changes of the clocks slots are the civil times, mapped one by one") {
  struct Change {
    const char* zone;
    TimePoint at;
  };
  const std::vector<Change> changes{{"Europe/Berlin", utc(2026, 3, 29, 1)},
                                    {"Europe/Berlin", utc(2026, 10, 25, 1)},
                                    {"America/New_York", utc(2026, 3, 8, 7)},
                                    {"America/New_York", utc(2026, 11, 1, 6)},
                                    {"Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)},
                                    {"Australia/Lord_Howe", utc(2026, 4, 4, 15)},
                                    {"Europe/Berlin", utc(2040, 10, 28, 1)},
                                    {"Pacific/Apia", utc(2011, 12, 30, 10)}};
  Generator generator(kSeed);
  for (int i = 0; i < 400; ++i) {
    const std::string text = generator.expression();
    const Calendar calendar = parse_calendar(text).value();
    const Change& change = changes[static_cast<std::size_t>(i) % changes.size()];
    const Zone zone = zone_of(change.zone);
    const TimePoint from = change.at - hours(5);
    const TimePoint to = change.at + hours(5);
    std::vector<TimePoint> found;
    for (auto slot = next(calendar, from, zone); slot && *slot <= to;
         slot = next(calendar, *slot, zone)) {
      found.push_back(*slot);
    }
    CAPTURE(text, change.zone, format_rfc3339(change.at, zone));
    REQUIRE(found == mapped_slots(calendar, from, to, zone));
  }
}

}  // namespace
