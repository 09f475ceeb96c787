#include "jobs/cron.hpp"

#include "jobs/calendar.hpp"
#include "jobs/rfc3339.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;
using Texts = std::vector<std::string>;

struct Form {
  std::string cron;
  std::string normalized;
};

TEST_CASE("cron: five fields become an OnCalendar form where there is one") {
  const auto row = GENERATE(
      Form{"30 2 * * *", "*-*-* 02:30:00"}, Form{"* * * * *", "*-*-* *:*:00"},
      Form{"*/15 * * * *", "*-*-* *:00/15:00"}, Form{"*/1 */1 * * *", "*-*-* *:*:00"},
      Form{"0 */6 * * *", "*-*-* 00/6:00:00"}, Form{"0 9-17/2 * * *", "*-*-* 09..17/2:00:00"},
      Form{"0,30 8,20 * * *", "*-*-* 08,20:00,30:00"}, Form{"0 0 1 jan *", "*-01-01 00:00:00"},
      Form{"0 0 1 JAN-mar,12 *", "*-01..03,12-01 00:00:00"},
      Form{"0 0 * * 1-5", "Mon..Fri *-*-* 00:00:00"},
      Form{"0 0 * * mon-fri", "Mon..Fri *-*-* 00:00:00"}, Form{"0 0 * * 0", "Sun *-*-* 00:00:00"},
      Form{"0 0 * * 7", "Sun *-*-* 00:00:00"}, Form{"0 0 * * 0-2", "Mon,Tue,Sun *-*-* 00:00:00"},
      Form{"0 0 * * sun-tue", "Mon,Tue,Sun *-*-* 00:00:00"},
      Form{"0 0 * * 5-7", "Fri..Sun *-*-* 00:00:00"},
      Form{"0 0 * * fri-sun", "Fri..Sun *-*-* 00:00:00"},
      Form{"0 0 * * */2", "Tue,Thu,Sat,Sun *-*-* 00:00:00"}, Form{"0 0 * * 0-7", "*-*-* 00:00:00"},
      Form{"*/40 * * * *", "*-*-* *:00/40:00"}, Form{"*/90 * * * *", "*-*-* *:00:00"},
      Form{"@hourly", "*-*-* *:00:00"}, Form{"@daily", "*-*-* 00:00:00"},
      Form{"@midnight", "*-*-* 00:00:00"}, Form{"@weekly", "Sun *-*-* 00:00:00"},
      Form{"@monthly", "*-*-01 00:00:00"}, Form{"@yearly", "*-01-01 00:00:00"},
      Form{" @Annually ", "*-01-01 00:00:00"});
  CAPTURE(row.cron);
  const auto calendar = parse_calendar(row.cron);
  REQUIRE(calendar.has_value());
  CHECK(to_string(*calendar) == row.normalized);
  CHECK(parse_calendar(row.normalized).value() == *calendar);
}

TEST_CASE("cron: with a day and a weekday either is enough, unless one begins with a star") {
  // Vixie's rule, crontab(5): a field that begins with '*' restricts, and both must match.
  const auto both = parse_calendar("0 0 13 * 5").value();
  CHECK(both.day_or_weekday);
  CHECK(to_string(both) == "0 0 13 * Fri");
  CHECK(parse_calendar(to_string(both)).value() == both);
  CHECK(to_string(parse_calendar("0 0 */2 * 1").value()) == "Mon *-*-01/2 00:00:00");
  CHECK(to_string(parse_calendar("0 0 1-7 * */7").value()) == "Sun *-*-01..07 00:00:00");
  CHECK(to_string(parse_calendar("0 0 1-31 * 1").value()) == "*-*-* 00:00:00");
  CHECK(to_string(parse_calendar("0 0 13 * 0-6").value()) == "*-*-* 00:00:00");
  CHECK(to_string(parse_calendar("*/5 9-17/4,20 1,15-20/2 jan sat-sun").value()) ==
        "*/5 9-17/4,20 1,15-19/2 1 Sat,Sun");

  Texts found;
  TimePoint at = sys_days(year(2026) / 11 / 1);
  for (int i = 0; i < 5; ++i) {
    at = next(both, at, Zone()).value();
    found.push_back(format_rfc3339(at, Zone()).substr(0, 10));
  }
  CHECK(found == Texts{"2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27", "2026-12-04"});
}

TEST_CASE("cron: an hour with a step runs on both passes of a fold, listed hours once") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const TimePoint first_pass = sys_days(year(2026) / 10 / 25);  // 02:00 summer time
  const auto step = parse_calendar("0 */2 * * *").value();
  CHECK(next(step, first_pass, berlin) == first_pass + hours(1));
  const auto listed = parse_calendar("0 0,2,4 * * *").value();
  CHECK(next(listed, first_pass, berlin) == first_pass + hours(3));
}

TEST_CASE("cron: what is left to chance stays as it was written until it is drawn") {
  for (const char* text : {"~ 2 * * *", "0~29 ~ * * *", "~/15 * * * *", "5,~ 2 * * *", "0 0 ~ * *",
                           "0 0 1~31 ~ *", "0 0 * * ~", "0 0 13 * 1~5", "0 3~5/2 * * *"}) {
    CAPTURE(text);
    const auto calendar = parse_calendar(text);
    REQUIRE(calendar.has_value());
    CHECK(to_string(*calendar) == text);
    CHECK_FALSE(next(*calendar, TimePoint(), Zone()));
    const Calendar drawn = draw(*calendar, "machine", "job");
    CHECK(drawn.draws.empty());
    CHECK(next(drawn, TimePoint(), Zone()));
    CHECK(draw(*calendar, "machine", "job") == drawn);
    CHECK(draw(drawn, "machine", "other") == drawn);
  }
  CHECK(to_string(parse_calendar("0~59 0~23 ~28 * 0~6").value()) == "~ ~ ~ * ~");
  CHECK(to_string(parse_calendar("~,* * * * *").value()) == "*-*-* *:*:00");
  CHECK(to_string(parse_calendar("0 0 * * ~,*").value()) == "*-*-* 00:00:00");
}

TEST_CASE("cron: draws spread evenly over their range, for many jobs and for many machines") {
  const auto calendar = parse_calendar("10~19 ~ ~ * 1~5").value();
  std::map<std::int32_t, int> minutes;
  std::map<std::int32_t, int> days;
  std::map<unsigned, int> weekdays;
  for (int i = 0; i < 4000; ++i) {
    const Calendar drawn = i % 2 == 0 ? draw(calendar, "machine", "job" + std::to_string(i))
                                      : draw(calendar, "machine" + std::to_string(i), "job");
    ++weekdays[drawn.weekdays];
    for (const CalendarPart& part : drawn.parts) {
      if (part.field == CalendarField::minute) ++minutes[part.start];
      if (part.field == CalendarField::day) ++days[part.start];
    }
  }
  REQUIRE(minutes.size() == 10);
  CHECK(minutes.begin()->first == 10);
  CHECK(minutes.rbegin()->first == 19);
  REQUIRE(days.size() == 28);  // every month has them
  CHECK(days.rbegin()->first == 28);
  CHECK(weekdays.size() == 5);
  for (const auto& [minute, count] : minutes)
    CHECK(std::abs(count - 400) < 80);
}

TEST_CASE("cron: a step that begins by chance goes on from there") {
  const Calendar drawn = draw(parse_calendar("~/20 * * * *").value(), "machine", "job");
  TimePoint at = sys_days(year(2026) / 11 / 1);
  at = next(drawn, at - microseconds(1), Zone()).value();
  CHECK(at - sys_days(year(2026) / 11 / 1) < minutes(20));
  for (int i = 0; i < 5; ++i) {
    const TimePoint then = next(drawn, at, Zone()).value();
    CHECK(then - at == minutes(20));
    at = then;
  }
}

TEST_CASE("cron: @reboot has no slots") {
  const auto calendar = parse_calendar("@Reboot");
  REQUIRE(calendar.has_value());
  CHECK(calendar->at_boot);
  CHECK(to_string(*calendar) == "@reboot");
  CHECK_FALSE(next(*calendar, TimePoint(), Zone()));
}

struct Refusal {
  std::string text;
  std::string wrong;
  std::string remedy;
};

TEST_CASE("cron: an error says what is wrong and what to write instead") {
  const auto row = GENERATE(
      Refusal{"60 * * * *", "minute \"60\" is out of the range 0-59", "*/15"},
      Refusal{"0 24 * * *", "hour \"24\"", "*/6"},
      Refusal{"0 0 0 * *", "day of month \"0\"", "1-31"},
      Refusal{"0 0 * 13 *", "month \"13\"", "jan"},
      Refusal{"0 0 * * 8", "day of week \"8\"", "mon,fri"},
      Refusal{"0 0 * foo *", "no number or name", "jan"},
      Refusal{"0 22-2 * * *", "ends before it begins", "split"},
      Refusal{"5/15 * * * *", "step but no range", "5-59/15"},
      Refusal{"*/0 * * * *", "step", "*/15"}, Refusal{"*/x * * * *", "step", "*/15"},
      Refusal{", * * * *", "no number", "0-59"},
      Refusal{"9~3 2 * * *", "ends before it begins", "0-59"},
      Refusal{"0~60 2 * * *", "minute \"60\" is out of the range 0-59", "*/15"},
      Refusal{"~/0 * * * *", "step", "*/15"}, Refusal{"1~2~3 * * * *", "no number", "0-59"},
      Refusal{"0 0 L * *", "not understood", "1-31"},
      Refusal{"0 0 * * fri#2", "not understood", "1-5"},
      Refusal{"0 30 2 * * *", "five fields, not 6", "30 2 * * *"},
      Refusal{"30 2 * * * root /bin/true", "five fields, not 7", "30 2 * * *"});
  CAPTURE(row.text);
  const auto calendar = parse_calendar(row.text);
  REQUIRE(calendar.has_error());
  CHECK_THAT(calendar.error().what(), ContainsSubstring(row.wrong));
  CHECK_THAT(calendar.error().what(), ContainsSubstring(row.remedy));
}

}  // namespace
