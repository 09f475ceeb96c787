#include "jobs/zone.hpp"

#include "jobs/rfc3339.hpp"
#include "jobs/zone_tail.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <string>

namespace {

using namespace lull;
using namespace std::chrono;
using Kind = CivilInstants::Kind;

CivilTime civil(int y, int m, int d, int hour, int minute) {
  return local_days{year(y) / m / d} + hours(hour) + minutes(minute);
}

TEST_CASE("zone: UTC needs no database and has one endless stretch") {
  CHECK(Zone().name() == "UTC");
  CHECK(Zone::utc() == Zone::find("UTC").value());
  CHECK(Zone().offset_at(TimePoint()) == seconds(0));
  CHECK(Zone().to_instants(civil(2026, 3, 29, 2, 30)).kind == Kind::unique);
}

TEST_CASE("zone: an unknown name is an error that names it and the remedy") {
  for (const std::string name : {"Europe/Berlim", "", "europe/berlin", "../UTC", "/etc/passwd"}) {
    const auto zone = Zone::find(name);
    REQUIRE(zone.has_error());
    CHECK_THAT(zone.error().what(), ContainsSubstring('"' + name + '"'));
    CHECK_THAT(zone.error().what(), ContainsSubstring("Europe/Berlin"));
    CHECK_FALSE(is_zone_name(name));
  }
  CHECK(is_zone_name("America/New_York"));
  CHECK(is_zone_name("UTC"));
}

struct Moment {
  const char* zone;
  CivilTime civil;
  Kind kind;
  const char* first;
  const char* last;
};

TEST_CASE("zone: gaps give the first instant after them, folds give both") {
  const auto row = GENERATE(Moment{"Europe/Berlin", civil(2026, 7, 1, 12, 0), Kind::unique,
                                   "2026-07-01T12:00:00+02:00", "2026-07-01T12:00:00+02:00"},
                            Moment{"Europe/Berlin", civil(2026, 3, 29, 2, 0), Kind::gap,
                                   "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"},
                            Moment{"Europe/Berlin", civil(2026, 3, 29, 2, 59), Kind::gap,
                                   "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"},
                            Moment{"Europe/Berlin", civil(2026, 3, 29, 3, 0), Kind::unique,
                                   "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"},
                            Moment{"Europe/Berlin", civil(2026, 10, 25, 2, 30), Kind::fold,
                                   "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"},
                            Moment{"America/New_York", civil(2026, 11, 1, 1, 0), Kind::fold,
                                   "2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"},
                            Moment{"America/New_York", civil(2026, 11, 1, 2, 0), Kind::unique,
                                   "2026-11-01T02:00:00-05:00", "2026-11-01T02:00:00-05:00"},
                            Moment{"Australia/Lord_Howe", civil(2026, 10, 4, 2, 15), Kind::gap,
                                   "2026-10-04T02:30:00+11:00", "2026-10-04T02:30:00+11:00"},
                            Moment{"Australia/Lord_Howe", civil(2026, 4, 5, 1, 45), Kind::fold,
                                   "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"},
                            // The day that Samoa left out.
                            Moment{"Pacific/Apia", civil(2011, 12, 30, 12, 0), Kind::gap,
                                   "2011-12-31T00:00:00+14:00", "2011-12-31T00:00:00+14:00"});
  const Zone zone = Zone::find(row.zone).value();
  const CivilInstants instants = zone.to_instants(row.civil);
  CHECK(instants.kind == row.kind);
  CHECK(format_rfc3339(instants.first, zone) == row.first);
  CHECK(format_rfc3339(instants.last, zone) == row.last);
}

TEST_CASE("zone: the rule goes on where the listed transitions end in 2037") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  CHECK(format_rfc3339(sys_days(year(2040) / 7 / 1), berlin) == "2040-07-01T02:00:00+02:00");
  CHECK(format_rfc3339(sys_days(year(2040) / 12 / 1), berlin) == "2040-12-01T01:00:00+01:00");
  CHECK(berlin.to_instants(civil(2040, 3, 25, 2, 30)).kind == Kind::gap);
  CHECK(berlin.to_instants(civil(2040, 10, 28, 2, 30)).kind == Kind::fold);
  const Zone sydney = Zone::find("Australia/Sydney").value();
  CHECK(sydney.offset_at(sys_days(year(2050) / 1 / 1)) == hours(11));
  const Zone dublin = Zone::find("Europe/Dublin").value();  // negative summer time in winter
  CHECK(dublin.offset_at(sys_days(year(2050) / 1 / 1)) == hours(0));
  CHECK(dublin.offset_at(sys_days(year(2050) / 7 / 1)) == hours(1));
}

TEST_CASE("zone: stretches join without holes and hold their instants") {
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"}) {
    const Zone zone = Zone::find(name).value();
    const TimePoint end = sys_days(year(2060) / 1 / 1);
    for (TimePoint at = sys_days(year(1990) / 1 / 1); at < end;) {
      const ZoneStretch stretch = zone.stretch_at(at);
      CHECK(stretch.begin <= at);
      REQUIRE(at < stretch.end);
      CHECK(zone.stretch_at(stretch.end - microseconds(1)) == stretch);
      at = stretch.end;
    }
  }
}

TEST_CASE("zone: every instant is among those that its own civil time stands for") {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}) {
    const Zone zone = Zone::find(name).value();
    const TimePoint end = sys_days(year(2041) / 1 / 1);
    for (TimePoint at = sys_days(year(2025) / 1 / 1); at < end; at += minutes(617)) {
      const CivilInstants instants = zone.to_instants(zone.to_civil(at));
      REQUIRE((instants.first == at || instants.last == at));
    }
  }
}

TEST_CASE("zone tail: reads POSIX rules and refuses what is none") {
  const auto berlin = parse_zone_tail("CET-1CEST,M3.5.0,M10.5.0/3");
  REQUIRE(berlin);
  CHECK(berlin->offset == hours(1));
  REQUIRE(berlin->summer);
  CHECK(berlin->summer->offset == hours(2));
  CHECK(berlin->summer->end.time == hours(3));
  CHECK(parse_zone_tail("<+0330>-3:30")->offset == hours(3) + minutes(30));
  CHECK(parse_zone_tail("<-02>2<-01>,M3.5.0/-1,M10.5.0/0")->summer->begin.time == -hours(1));
  CHECK(parse_zone_tail("EST5EDT,J60,300/1:30:10")->summer->end.time ==
        hours(1) + minutes(30) + seconds(10));
  for (const char* text : {"", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
                           "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "<CET-1",
                           "CET-1 ", "CET-1CEST,M3.5.0,M10.5.0x", "CET-1:99", "CET-999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_zone_tail(text));
  }
}

TEST_CASE("zone tail: days of the year with and without the leap day") {
  const auto julian = parse_zone_tail("AAA0BBB,J60/0,J365/0").value();
  CHECK(stretch_of(julian, sys_days(year(2028) / 6 / 1)).begin == sys_days(year(2028) / 3 / 1));
  const auto zero_based = parse_zone_tail("AAA0BBB,59/0,364/0").value();
  CHECK(stretch_of(zero_based, sys_days(year(2028) / 6 / 1)).begin ==
        sys_days(year(2028) / 2 / 29));
}

TEST_CASE("machine zone: TZ, then the link, then the file, then UTC") {
  using Text = std::optional<std::string_view>;
  const Text none;
  const std::string_view link = "/usr/share/zoneinfo/America/New_York";
  CHECK(machine_zone_name("Europe/Berlin", link, "Asia/Tokyo\n") == "Europe/Berlin");
  CHECK(machine_zone_name(":Europe/Berlin", link, none) == "Europe/Berlin");
  CHECK(machine_zone_name(":/usr/share/zoneinfo/Europe/Berlin", link, none) == "Europe/Berlin");
  CHECK(machine_zone_name("/etc/localtime", link, none) == "America/New_York");
  CHECK(machine_zone_name("", link, none) == "UTC");
  CHECK(machine_zone_name(none, link, "Asia/Tokyo\n") == "America/New_York");
  CHECK(machine_zone_name(none, "../usr/share/zoneinfo/posix/Asia/Tokyo", none) == "Asia/Tokyo");
  CHECK(machine_zone_name(none, "/somewhere/else", "\n# comment\n Asia/Tokyo \n") == "Asia/Tokyo");
  CHECK(machine_zone_name(none, none, "") == "UTC");
  CHECK(machine_zone_name(none, none, none) == "UTC");
}

}  // namespace
