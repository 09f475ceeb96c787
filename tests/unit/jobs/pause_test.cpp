#include "jobs/pause.hpp"

#include "jobs/hold.hpp"
#include "jobs/rfc3339.hpp"
#include "tests/support/catch.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr TimePoint kNow = sys_days(year(2026) / 11 / 28) + hours(12) + minutes(30);

TEST_CASE("pause: a job is under its own and that of all, until the later of the two has ended") {
  const HandPause brief{kNow, kNow + hours(1)};
  const HandPause longer{kNow, kNow + hours(2)};
  const HandPause endless{kNow, std::nullopt};
  CHECK_FALSE(pause_of({}, "backup"));
  CHECK_FALSE(pause_of({{"sync", endless}}, "backup"));
  CHECK(pause_of({{"backup", brief}}, "backup") == brief);
  CHECK(pause_of({{kAllJobs, brief}}, "backup") == brief);
  CHECK(pause_of({{kAllJobs, brief}, {"backup", longer}}, "backup") == longer);
  CHECK(pause_of({{kAllJobs, longer}, {"backup", brief}}, "backup") == longer);
  CHECK(pause_of({{kAllJobs, endless}, {"backup", longer}}, "backup") == endless);
  CHECK(pause_of({{kAllJobs, brief}, {"backup", endless}}, "backup") == endless);
}

TEST_CASE("pause: holds the runs that went on when it began, not those that were started since") {
  const HandPauses own{{"backup", {kNow, std::nullopt}}};
  CHECK(holds_run(own, "backup", kNow - hours(1)));
  CHECK_FALSE(holds_run(own, "backup", kNow + seconds(1)));
  CHECK_FALSE(holds_run(own, "sync", kNow - hours(1)));
  const HandPauses both{{"backup", {kNow, std::nullopt}}, {kAllJobs, {kNow + hours(1), {}}}};
  CHECK(holds_run(both, "backup", kNow + minutes(30)));
  CHECK_FALSE(holds_run(both, "backup", kNow + hours(2)));
}

TEST_CASE("pause: those that end by themselves are taken out at their time, the others stay") {
  HandPauses pauses{
      {"a", {kNow, kNow + hours(2)}}, {"b", {kNow, std::nullopt}}, {"c", {kNow, kNow + hours(1)}}};
  CHECK(next_end(pauses) == kNow + hours(1));
  CHECK(take_ended(pauses, kNow + minutes(59)).empty());
  CHECK(take_ended(pauses, kNow + hours(1)) == std::vector<std::string>{"c"});
  CHECK(next_end(pauses) == kNow + hours(2));
  CHECK(take_ended(pauses, kNow + hours(3)) == std::vector<std::string>{"a"});
  CHECK_FALSE(next_end(pauses));
  CHECK(pauses.size() == 1);
}

TEST_CASE("pause: its end is written with no more than it takes to know when that is") {
  const auto text = [](Duration length) {
    return describe({kNow, kNow + length}, Zone::find("Europe/Berlin").value());
  };
  CHECK(text(hours(2)) == "paused by hand until 15:30");
  CHECK(text(minutes(30)) == "paused by hand until 14:00");
  CHECK(text(seconds(5)) == "paused by hand until 13:30:05");
  CHECK(text(hours(13)) == "paused by hand until 2026-11-29 02:30");
  CHECK(describe({kNow, std::nullopt}, Zone()) == "paused by hand until `lull resume`");
}

TEST_CASE("pause --for: takes a duration, of some length and not of more than a lifetime") {
  CHECK(pause_for("2h", kNow).value() == kNow + hours(2));
  CHECK(pause_for("1h 30min", kNow).value() == kNow + minutes(90));
  for (const char* text : {"", "2", "0s", "soon", "-1h", "40000d", "99999999999999999d"}) {
    CAPTURE(text);
    CHECK(pause_for(text, kNow).has_error());
  }
}

TEST_CASE("pause --until: takes the next such time of day, or a time that is still to come") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const auto until = [&](const char* text, TimePoint now = kNow) {
    return format_rfc3339(pause_until(text, now, berlin).value(), berlin);
  };
  CHECK(until("14:30") == "2026-11-28T14:30:00+01:00");
  CHECK(until("13:30") == "2026-11-29T13:30:00+01:00");  // that is now
  CHECK(until("7:05") == "2026-11-29T07:05:00+01:00");
  CHECK(until("24:00") == "2026-11-29T00:00:00+01:00");
  CHECK(until("2026-12-01T08:00:00+01:00") == "2026-12-01T08:00:00+01:00");
  CHECK(until("2026-11-28T12:30:00.5Z") == "2026-11-28T13:30:00.5+01:00");
}

TEST_CASE("pause --until: in a night with a change of clocks the next time that shows") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  const auto next = [&](const char* text, const char* now) {
    const TimePoint then = parse_rfc3339(now).value();
    return format_rfc3339(pause_until(text, then, berlin).value(), berlin);
  };
  // 2:30 comes twice, and on the last Sunday of March not at all.
  CHECK(next("2:30", "2026-10-25T02:00:00+02:00") == "2026-10-25T02:30:00+02:00");
  CHECK(next("2:30", "2026-10-25T02:45:00+02:00") == "2026-10-25T02:30:00+01:00");
  CHECK(next("2:30", "2026-10-25T02:45:00+01:00") == "2026-10-26T02:30:00+01:00");
  CHECK(next("2:30", "2026-03-29T01:00:00+01:00") == "2026-03-29T03:00:00+02:00");
}

TEST_CASE(
    "pause --until: what has passed and what is no time are refused, and the message says so") {
  const auto problem = [](const char* text) {
    return pause_until(text, kNow, Zone()).error().what();
  };
  CHECK_THAT(problem("2026-11-28T12:30:00Z"), ContainsSubstring("is in the past"));
  CHECK_THAT(problem("1999-01-01T00:00:00Z"), ContainsSubstring("is in the past"));
  CHECK_THAT(problem("9999-01-01T00:00:00Z"), ContainsSubstring("lull resume"));
  for (const char* text : {"", "25:00", "24:01", "14:60", "14", "14:3", "tomorrow", "2026-11-29"}) {
    CAPTURE(text);
    CHECK_THAT(problem(text), ContainsSubstring("14:30, or date, time and offset"));
  }
}

TEST_CASE("hold: a run goes on when the last of those who hold it lets go") {
  Holds holds;
  CHECK_FALSE(holds.reason());
  holds.set(Holder::hand, std::nullopt);
  CHECK_FALSE(holds.reason());
  holds.set(Holder::gate, "power: on battery");
  holds.set(Holder::hand, "paused by hand");
  CHECK(holds.reason() == "paused by hand; power: on battery");
  holds.set(Holder::hand, std::nullopt);
  CHECK(holds.reason() == "power: on battery");
  holds.set(Holder::gate, "power: on battery, 20 % left");
  CHECK(holds.reason() == "power: on battery, 20 % left");
  holds.set(Holder::gate, std::nullopt);
  CHECK_FALSE(holds.reason());
}

}  // namespace
