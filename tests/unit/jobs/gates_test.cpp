#include "jobs/gates.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr TimePoint kNow = sys_days(year(2026) / 11 / 22) + hours(12);

/// A machine on mains, connected, with everything there and nobody at it for an hour.
World ready() {
  World world;
  world.now = kNow;
  world.power = PowerState{false, 80};
  world.user_away = hours(1);
  world.network = NetworkState{true, false};
  world.mounted = true;
  world.check = CheckAnswer{};
  return world;
}

GateSpec every_gate() {
  GateSpec when;
  when.power = PowerSource::ac;
  when.away = minutes(3);
  when.network = NetworkNeed::unmetered;
  when.mounted = MountPoint{"/mnt/nas"};
  when.exists = {"/home/ana/Documents"};
  when.hours = Hours{hours(9), hours(17)};
  when.check = {"/usr/local/bin/nas-up"};
  when.after = {"prune"};
  return when;
}

std::vector<std::string> keys(const std::vector<Waiting>& waiting) {
  std::vector<std::string> keys;
  keys.reserve(waiting.size());
  for (const Waiting& gate : waiting)
    keys.push_back(gate.gate);
  return keys;
}

TEST_CASE("gates: what was missed waits until the machine has settled, past its deadline too") {
  World world = ready();
  world.overdue = true;
  world.settled = kNow + minutes(2);
  const auto waiting = shut_gates(GateSpec(), world);
  REQUIRE(keys(waiting) == std::vector<std::string>{"settle"});
  CHECK(waiting[0].until == kNow + minutes(2));
  world.settled = kNow;
  CHECK(shut_gates(GateSpec(), world).empty());
}

TEST_CASE("gates: a job without any may always start, and with all when all hold") {
  CHECK(shut_gates(GateSpec(), World()).empty());
  CHECK(shut_gates(every_gate(), ready()).empty());
}

TEST_CASE("gates: of a world that nobody tells of each counts as the safe side of its key") {
  World unknown;
  unknown.now = kNow;
  const auto waiting = shut_gates(every_gate(), unknown);
  CHECK(keys(waiting) == std::vector<std::string>{"away", "network", "mounted"});
  CHECK(waiting[0].reason == "nothing tells whether somebody is here (lull doctor)");
}

TEST_CASE("gates: power is the battery's only while that feeds the machine") {
  GateSpec when;
  World world = ready();
  world.power = PowerState{true, 48};
  CHECK(shut_gates(when, world).empty());
  when.power = PowerSource::ac;
  CHECK(shut_gates(when, world) ==
        std::vector<Waiting>{{"power", "on battery, 48 % left", false, std::nullopt}});
  when.power = BatteryAbove{40};
  CHECK(shut_gates(when, world).empty());
  world.power->battery_percent = 40;
  REQUIRE(shut_gates(when, world).size() == 1);
  CHECK(shut_gates(when, world)[0].reason == "on battery, 40 % left, wanted more than 40 %");
  world.power->battery_percent.reset();
  CHECK(shut_gates(when, world).size() == 1);
  world.power = PowerState{false, 3};
  CHECK(shut_gates(when, world).empty());
}

TEST_CASE("gates: away says when it will be open, and that somebody watches") {
  GateSpec when;
  when.away = minutes(3);
  World world = ready();
  world.user_away = seconds(72) + milliseconds(400);
  auto waiting = shut_gates(when, world);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].reason == "last input 1min 12s ago, wanted 3min");
  CHECK(waiting[0].until == kNow + minutes(3) - *world.user_away);
  world.user_away = minutes(3);
  CHECK(shut_gates(when, world).empty());
  world.here_because = "a video is playing";
  waiting = shut_gates(when, world);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].reason == "somebody is here: a video is playing");
  CHECK_FALSE(waiting[0].until);
}

TEST_CASE("gates: the network is up, or up and unmetered") {
  GateSpec when;
  World world = ready();
  world.network = NetworkState{true, true};
  when.network = NetworkNeed::up;
  CHECK(shut_gates(when, world).empty());
  when.network = NetworkNeed::unmetered;
  REQUIRE(shut_gates(when, world).size() == 1);
  CHECK(shut_gates(when, world)[0].reason == "the connection is metered");
  world.network = NetworkState{};
  REQUIRE(shut_gates(when, world).size() == 1);
  CHECK(shut_gates(when, world)[0].reason == "not connected");
}

TEST_CASE("gates: hours are the job's own, over midnight too, and say when they begin") {
  struct Row {
    Hours allowed;
    int hour;
    std::optional<int> opens_in;  ///< hours; none: open
  };
  const auto row = GENERATE(Row{{hours(9), hours(17)}, 9, {}}, Row{{hours(9), hours(17)}, 16, {}},
                            Row{{hours(9), hours(17)}, 17, 16}, Row{{hours(9), hours(17)}, 3, 6},
                            Row{{hours(22), hours(7)}, 23, {}}, Row{{hours(22), hours(7)}, 6, {}},
                            Row{{hours(22), hours(7)}, 7, 15}, Row{{hours(22), hours(24)}, 23, {}},
                            Row{{hours(22), hours(24)}, 0, 22}, Row{{hours(0), hours(5)}, 4, {}});
  GateSpec when;
  when.hours = row.allowed;
  World world = ready();
  world.zone = Zone::find("Europe/Berlin").value();
  world.now = sys_days(year(2026) / 11 / 22) + hours(row.hour - 1);  // an hour behind the zone's
  const auto waiting = shut_gates(when, world);
  CAPTURE(row.hour);
  REQUIRE(waiting.empty() == !row.opens_in);
  if (row.opens_in) CHECK(waiting[0].until == world.now + hours(*row.opens_in));
}

TEST_CASE("gates: hours that the clocks leave out begin when the gap ends") {
  GateSpec when;
  when.hours = Hours{hours(2) + minutes(30), hours(4)};
  World world = ready();
  world.zone = Zone::find("Europe/Berlin").value();
  world.now = sys_days(year(2026) / 3 / 29);  // 01:00, and 02:00 is 03:00
  const auto waiting = shut_gates(when, world);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].reason == "only from 2:30 to 4:00");
  CHECK(waiting[0].until == world.now + hours(1));
}

TEST_CASE("gates: a check is asked when all else holds, and says what it said") {
  World world = ready();
  world.check.reset();
  world.network->up = false;
  CHECK(keys(shut_gates(every_gate(), world)) == std::vector<std::string>{"network"});
  world.network->up = true;
  CHECK(keys(shut_gates(every_gate(), world)) == std::vector<std::string>{"check"});
  world.check = CheckAnswer{CheckAnswer::Kind::not_now, "exited with 75"};
  const auto waiting = shut_gates(every_gate(), world);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].reason == "/usr/local/bin/nas-up exited with 75: not now");
}

TEST_CASE("gates: a check lets go with 0, holds with 75, and all else holds as an error") {
  using Kind = CheckAnswer::Kind;
  struct Row {
    Outcome outcome;
    std::optional<int> exit_code;
    std::optional<int> signal;
    Kind kind;
    std::string detail;
  };
  const auto row = GENERATE(
      Row{Outcome::success, 0, {}, Kind::go, ""},
      Row{Outcome::failed, 75, {}, Kind::not_now, "exited with 75"},
      Row{Outcome::failed, 1, {}, Kind::failed, "exited with 1"},
      Row{Outcome::failed, {}, 11, Kind::failed, "was killed by signal 11"},
      Row{Outcome::timed_out, {}, 15, Kind::failed, "gave no answer in time"},
      Row{Outcome::spawn_failed, {}, {}, Kind::failed, "could not be run: exec: no such file"});
  Ending ending;
  ending.outcome = row.outcome;
  ending.exit_code = row.exit_code;
  ending.signal = row.signal;
  if (row.outcome == Outcome::spawn_failed) ending.detail = "exec: no such file";
  CHECK(check_answer(ending) == CheckAnswer{row.kind, row.detail});
}

TEST_CASE("gates: what is being asked holds a job for the moment, past its deadline too") {
  World world = ready();
  world.asking = {"power", "away", "network"};
  world.overdue = true;
  CHECK(keys(shut_gates(every_gate(), world)) ==
        std::vector<std::string>{"power", "away", "network"});
  world.asking = {"power"};
  GateSpec when = every_gate();
  CHECK(shut_gates(when, world) ==
        std::vector<Waiting>{{"power", "being asked", true, std::nullopt}});
}

TEST_CASE("gates: hours change where they begin and where they end") {
  GateSpec when;
  const Zone berlin = Zone::find("Europe/Berlin").value();
  CHECK_FALSE(next_hours_change(when, kNow, berlin));
  when.hours = Hours{hours(22), hours(7)};
  const TimePoint midnight = sys_days(year(2026) / 11 / 22) - hours(1);
  CHECK(next_hours_change(when, midnight, berlin) == midnight + hours(7));
  CHECK(next_hours_change(when, midnight + hours(7), berlin) == midnight + hours(22));
  CHECK(next_hours_change(when, midnight + hours(22), berlin) == midnight + hours(31));
}

TEST_CASE("gates: hours that clocks show twice or never change later than now") {
  const Zone berlin = Zone::find("Europe/Berlin").value();
  GateSpec when;
  when.hours = Hours{hours(2) + minutes(30), hours(3)};
  const TimePoint night =
      GENERATE(TimePoint(sys_days(year(2026) / 3 / 28)), TimePoint(sys_days(year(2026) / 10 / 24)));
  for (TimePoint now = night + hours(22); now < night + hours(27); now += minutes(1)) {
    CHECK(next_hours_change(when, now, berlin) > now);
    World world = ready();
    world.zone = berlin;
    world.now = now;
    const auto waiting = shut_gates(when, world);
    if (!waiting.empty()) CHECK(waiting[0].until > now);
  }
}

TEST_CASE("gates: what a run can lose is what it needs as long as it goes on") {
  World world = ready();
  world.settled = kNow + minutes(2);
  world.check.reset();
  world.to_succeed = {"prune"};
  CHECK(lost_gates(every_gate(), world).empty());
  world.power = PowerState{true, 48};
  world.mounted = false;
  CHECK(keys(lost_gates(every_gate(), world)) == std::vector<std::string>{"power", "mounted"});
  world.here_because = "logind has not answered yet";
  world.asking = {"power", "away"};
  CHECK(keys(lost_gates(every_gate(), world)) == std::vector<std::string>{"mounted"});
  world.here_because.clear();
  world.asking.clear();
  world.overdue = true;  // it was started although that does not hold
  CHECK(keys(lost_gates(every_gate(), world)) == std::vector<std::string>{"mounted"});
}

TEST_CASE("gates: at its deadline a job waits for the hard ones alone") {
  World world = ready();
  world.power = PowerState{true, 10};
  world.user_away = Duration(0);
  world.network = NetworkState{};
  world.mounted = false;
  world.missing = {{"/home/ana/Documents"}};
  world.to_succeed = {"prune", "check"};
  world.now = sys_days(year(2026) / 11 / 22);
  const auto waiting = shut_gates(every_gate(), world);
  CHECK(keys(waiting) == std::vector<std::string>{"power", "away", "network", "mounted", "exists",
                                                  "hours", "after"});
  world.overdue = true;
  const auto hard = shut_gates(every_gate(), world);
  CHECK(keys(hard) == std::vector<std::string>{"mounted", "exists", "after"});
  CHECK(hard[0].reason == "nothing is mounted at /mnt/nas");
  CHECK(hard[1].reason == "there is no /home/ana/Documents");
  CHECK(hard[2].reason == "prune, check must succeed first");
  world.mounted = true;
  world.missing.clear();
  world.to_succeed.clear();
  CHECK(shut_gates(every_gate(), world).empty());
  world.check.reset();  // and the check is asked all the same
  CHECK(keys(shut_gates(every_gate(), world)) == std::vector<std::string>{"check"});
}

}  // namespace
