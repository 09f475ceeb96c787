#include "jobs/presence.hpp"

#include "tests/support/catch.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr TimePoint kNow = sys_days(year(2026) / 11 / 22) + hours(12);
constexpr TimePoint kBooted = kNow - hours(5);

InputReport x_server(Duration ago) { return {"the X server :0", ":0", false, kNow - ago}; }
InputReport busy_x_server() { return {"the X server :0", ":0", true}; }
InputReport mutter(Duration ago) { return {"Mutter", "", false, kNow - ago}; }

/// A session whose IdleHint nobody ever sets.
SessionReport graphical(const std::string& type = "x11") {
  SessionReport session{"session 2", type};
  if (type == "x11") session.display = ":0";
  return session;
}

SessionReport idle(SessionReport session, TimePoint since) {
  session.idle = true;
  session.idle_since = since;
  return session;
}

SessionReport locked(SessionReport session) {
  session.locked = true;
  return session;
}

SessionReport terminal(std::optional<Duration> ago) {
  SessionReport session{"session 5"};
  session.tty = "tty3";
  if (ago) session.tty_input = kNow - *ago;
  return session;
}

SessionReport of_state(SessionReport session, const std::string& session_class,
                       const std::string& state) {
  session.session_class = session_class;
  session.state = state;
  return session;
}

SessionReport behind(SessionReport session) {
  session.in_front = false;
  return session;
}

Presence judged(std::vector<InputReport> inputs, std::vector<SessionReport> sessions) {
  PresenceReports reports{kBooted};
  reports.inputs = std::move(inputs);
  reports.sessions = std::move(sessions);
  return presence_of(reports, kNow);
}

struct Row {
  std::string name;
  std::vector<InputReport> inputs;
  std::vector<SessionReport> sessions;
  std::optional<Duration> away;
  std::string here_because;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.name);
    const Presence presence = judged(row.inputs, row.sessions);
    CHECK(presence.away == row.away);
    CHECK(presence.here_because == row.here_because);
  }
}

TEST_CASE("presence: the last input anywhere counts") {
  const std::string at_x = "there is input at the X server :0";
  check({
      {"X alone", {x_server(minutes(7))}, {}, minutes(7), ""},
      {"X, in use", {busy_x_server()}, {}, Duration(0), at_x},
      {"X and its session", {x_server(minutes(7))}, {graphical()}, minutes(7), ""},
      {"Mutter", {mutter(minutes(4))}, {graphical("wayland")}, minutes(4), ""},
      {"a terminal", {}, {terminal(minutes(9))}, minutes(9), ""},
      {"X before a terminal", {x_server(minutes(7))}, {terminal(minutes(9))}, minutes(7), ""},
      {"a terminal before X", {x_server(hours(1))}, {terminal(minutes(9))}, minutes(9), ""},
      {"a terminal beside X in use", {busy_x_server()}, {terminal(minutes(9))}, Duration(0), at_x},
  });
  CHECK(judged({x_server(hours(1))}, {terminal(minutes(9))}).source == "session 5");
}

TEST_CASE("presence: without any source somebody is here") {
  check({
      {"nothing", {}, {}, std::nullopt, ""},
      {"a greeter", {}, {of_state(graphical(), "greeter", "active")}, std::nullopt, ""},
      {"a manager", {}, {of_state(graphical(), "manager", "active")}, std::nullopt, ""},
      {"one that closes", {}, {of_state(graphical(), "user", "closing")}, std::nullopt, ""},
      {"rsync over ssh", {}, {SessionReport{"session 9", "tty"}}, std::nullopt, ""},
      {"cron", {}, {SessionReport{"session 9", "unspecified"}}, std::nullopt, ""},
  });
}

TEST_CASE("presence: behind a locked screen nobody is, but elsewhere somebody may be") {
  const SessionReport screen = locked(graphical());
  check({
      {"locked", {}, {screen}, kAwayAtOnce, ""},
      {"input at the locked screen", {busy_x_server()}, {screen}, kAwayAtOnce, ""},
      {"input seen by Mutter",
       {mutter(seconds(1))},
       {locked(graphical("wayland"))},
       kAwayAtOnce,
       ""},
      {"a terminal too", {}, {screen, terminal(seconds(20))}, seconds(20), ""},
      {"a greeter's lock", {}, {of_state(screen, "greeter", "active")}, std::nullopt, ""},
      {"another screen, unlocked",
       {},
       {screen, graphical("wayland")},
       Duration(0),
       "session 2 is not idle, logind says"},
  });
}

TEST_CASE("presence: IdleHint counts where nobody sees the session's input, if it can be true") {
  const std::string not_idle = "session 2 is not idle, logind says";
  const std::string blind = "nobody can see the input of session 2";
  const SessionReport wayland = graphical("wayland");
  check({
      {"no", {}, {graphical()}, Duration(0), not_idle},
      {"no, and X knows better", {x_server(hours(1))}, {graphical()}, hours(1), ""},
      {"no, and X shows another", {x_server(hours(1))}, {wayland}, Duration(0), not_idle},
      {"no, not in front", {}, {behind(graphical())}, std::nullopt, ""},
      {"yes", {}, {idle(wayland, kNow - minutes(6))}, minutes(6), ""},
      {"yes, and X sees input",
       {x_server(seconds(1))},
       {idle(graphical(), kNow - hours(1))},
       seconds(1),
       ""},
      {"since 1970", {}, {idle(wayland, TimePoint())}, std::nullopt, blind},
      {"since before the boot", {}, {idle(wayland, kBooted - minutes(1))}, std::nullopt, blind},
      {"since the boot", {}, {idle(wayland, kBooted - seconds(1))}, kNow - kBooted, ""},
      {"from now on", {}, {idle(wayland, kNow + milliseconds(5))}, Duration(0), ""},
      {"since tomorrow", {}, {idle(wayland, kNow + days(1))}, std::nullopt, blind},
      {"since 1970, and a terminal",
       {},
       {idle(wayland, TimePoint()), terminal(hours(1))},
       std::nullopt,
       blind},
  });
}

TEST_CASE("presence: who sees a part only is not asked what it did not see") {
  const std::string not_idle = "session 2 is not idle, logind says";
  const SessionReport wayland = graphical("wayland");
  SessionReport untold = graphical();
  untold.display.clear();
  SessionReport other = graphical();
  other.display = ":1";
  check({
      {"Xwayland", {x_server(hours(2))}, {idle(wayland, kNow - hours(1))}, hours(1), ""},
      {"Xwayland, with Mutter",
       {x_server(hours(2)), mutter(minutes(4))},
       {wayland},
       minutes(4),
       ""},
      {"Xwayland, locked at once", {x_server(seconds(2))}, {locked(wayland)}, kAwayAtOnce, ""},
      {"a display that is not told", {x_server(minutes(7))}, {untold}, minutes(7), ""},
      {"another display", {x_server(hours(2))}, {other, graphical()}, Duration(0), not_idle},
  });
}

TEST_CASE("presence: a terminal that shows a screen tells nothing, unless it is the X server's") {
  check({
      {"startx", {x_server(minutes(7))}, {terminal(std::nullopt)}, minutes(7), ""},
      {"startx, unseen",
       {},
       {terminal(std::nullopt)},
       std::nullopt,
       "nobody can see the input of session 5"},
      {"the same, not in front", {}, {behind(terminal(std::nullopt))}, std::nullopt, ""},
  });
}

TEST_CASE("presence: a clock that was set makes no input older than the boot, nor one to come") {
  check({
      {"a terminal from before", {}, {terminal(days(9000))}, kNow - kBooted, ""},
      {"a terminal ahead", {}, {terminal(-hours(1))}, Duration(0), ""},
  });
}

TEST_CASE("presence: an idle inhibitor, and who has not answered, mean that somebody is here") {
  PresenceReports reports{kBooted};
  reports.inputs = {x_server(hours(1))};
  reports.asking = "logind";
  CHECK(presence_of(reports, kNow) ==
        Presence{std::nullopt, "logind has not answered yet", "", true});
  reports.inhibitors = {"mpv: playing"};
  reports.sessions = {locked(graphical())};
  CHECK(presence_of(reports, kNow) ==
        Presence{Duration(0), "an idle inhibitor: mpv: playing", "mpv: playing"});
}

TEST_CASE("presence: where logind knows of nobody at all, nobody is here") {
  PresenceReports reports{kBooted};
  reports.has_all_sessions = true;
  reports.sessions = {of_state(graphical(), "greeter", "active")};
  CHECK(presence_of(reports, kNow).away == kAwayAtOnce);
  SessionReport others = graphical();
  others.ours = false;
  reports.sessions.push_back(others);
  CHECK(presence_of(reports, kNow).away == std::nullopt);
  reports.sessions.clear();
  reports.inputs = {x_server(seconds(3))};
  CHECK(presence_of(reports, kNow).away == seconds(3));
}

}  // namespace
