// Who tells whether somebody is at the machine: a real X server with a real keyboard in software,
// and services that say on a bus of the test's own what the real ones would.
#include "runner/desktop/presence_watch.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/terminals.hpp"
#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/turn.hpp"
#include "tests/support/x_server.hpp"

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace lull::desktop {
namespace {

using namespace std::chrono_literals;
using tests::BusDaemon;
using tests::Child;
using tests::MockService;
using tests::TempFolder;
using tests::turn_until;
using tests::XServer;

constexpr std::chrono::seconds kLong{60};

/// What the watch of a test looks at; where nothing is named, nobody is.
PresencePlaces places(const BusDaemon& system) {
  PresencePlaces places;
  places.system_bus = system.address();
  places.uptime = [] { return os::uptime().since_boot; };
  places.tty_input = [](const std::string&) { return std::optional<TimePoint>(); };
  places.logins = [] { return std::vector<SessionReport>(); };
  return places;
}

struct Watched {
  explicit Watched(PresencePlaces where, Duration threshold = 1s)
      : watch(loop.get_executor(), std::move(where), [this] { ++changes; }) {
    watch.want(threshold);
  }

  [[nodiscard]] Presence presence() const { return watch.presence(os::now()); }
  [[nodiscard]] bool is_away(Duration for_so_long = 1s) const {
    const auto away = presence().away;
    return away && *away >= for_so_long;
  }
  [[nodiscard]] bool is_here(const std::string& because) const {
    return presence().here_because.find(because) != std::string::npos;
  }
  /// What becomes so before long.
  template <class Condition>
  bool turns(Condition condition) {
    return turn_until(loop, condition, kLong);
  }
  [[nodiscard]] SourceState source(const std::string& name) const {
    for (SourceState& state : watch.sources()) {
      if (state.source.starts_with(name)) return state;
    }
    return {};
  }

  boost::asio::io_context loop;
  int changes = 0;
  PresenceWatch watch;
};

TEST_CASE("presence: an X server tells when nobody has typed for so long, and of the next key") {
  const BusDaemon system;
  const XServer server;
  PresencePlaces where = places(system);
  where.display.name = server.display();
  Watched user(where);
  CHECK(user.changes == 0);
  CHECK(user.is_here("has not answered yet"));
  for (int time = 0; time < 3; ++time) {
    REQUIRE(user.turns([&] { return user.is_away(); }));
    CHECK(user.presence().source == "the X server " + server.display());
    server.type();
    REQUIRE(user.turns([&] { return user.is_here("input at the X server"); }));
  }
}

TEST_CASE("presence: who types wakes nobody, nor does who does not") {
  const BusDaemon system;
  const XServer server;
  PresencePlaces where = places(system);
  where.display.name = server.display();
  Watched user(where, 1h);
  REQUIRE(user.turns([&] { return user.is_here("input at the X server"); }));
  server.type();  // the first key of another keyboard is told to every client
  user.loop.restart();
  while (user.loop.poll() > 0)
    user.loop.restart();
  user.loop.restart();
  {
    const auto typing = server.keep_typing();
    CHECK(user.loop.run_for(1s) == 0);
  }
  user.loop.restart();
  CHECK(user.loop.run_for(1s) == 0);
}

TEST_CASE("presence: a shorter time that is wanted later is told of, too") {
  const BusDaemon system;
  const XServer server;
  PresencePlaces where = places(system);
  where.display.name = server.display();
  Watched user(where, 1h);
  REQUIRE(user.turns([&] { return user.is_here("input at the X server"); }));
  user.watch.want(1s);
  user.watch.want(2s);
  CHECK(user.turns([&] { return user.is_away(); }));
  CHECK(user.turns([&] { return user.is_away(2s); }));
}

TEST_CASE("presence: an X server that ends is as good as none, and is taken up again") {
  const BusDaemon system;
  XServer server;
  PresencePlaces where = places(system);
  where.display.name = server.display();
  Watched user(where);
  REQUIRE(user.turns([&] { return user.is_away(); }));
  server.end();
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  CHECK_FALSE(user.source("the X server").works);
  server.start();
  CHECK(user.turns([&] { return user.is_away(); }));
}

TEST_CASE("presence: an X server that hangs is as good as none, and is asked again") {
  const BusDaemon system;
  const XServer server;
  ::kill(server.pid(), SIGSTOP);
  PresencePlaces where = places(system);
  where.display.name = server.display();
  Watched user(where);
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  CHECK(user.source("the X server").detail == "it does not answer");
  ::kill(server.pid(), SIGCONT);
  CHECK(user.turns([&] { return user.is_away(); }));
}

TEST_CASE("presence: an X server wants the cookie of its display") {
  const BusDaemon system;
  const TempFolder folder;
  const std::string cookie = "0123456789abcdef";
  std::string entry("\xff\xff\0\0\0\0\0\x12MIT-MAGIC-COOKIE-1\0\x10", 28);
  const std::string authority = folder.write("authority", entry + cookie);
  const XServer server({"-auth", authority});
  PresencePlaces where = places(system);
  where.display = {server.display(), authority};
  Watched user(where);
  CHECK(user.turns([&] { return user.is_away(); }));
  where.display.authority_file.clear();
  Watched stranger(where);
  REQUIRE(stranger.turns([&] { return stranger.source("the X server").has_settled; }));
  CHECK(stranger.source("the X server").detail.starts_with("it refuses us"));
}

/// A socket at a path, on which nobody answers.
os::Fd listen_at(const std::string& path) {
  os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  return listener;
}

TEST_CASE(
    "presence: a socket that an X server left behind, and one who never answers, hold nobody") {
  const BusDaemon system;
  const TempFolder folder;
  PresencePlaces where = places(system);
  where.display.name = folder.path("x");
  os::Fd listener = listen_at(folder.path("x"));
  {
    Watched user(where);
    const auto begun = std::chrono::steady_clock::now();
    user.loop.run_for(100ms);
    CHECK(std::chrono::steady_clock::now() - begun < 2s);
    CHECK(user.is_here("has not answered yet"));
    REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
    CHECK(user.source("the X server").detail == "it does not answer");
  }
  listener.reset();
  Watched user(where);
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  CHECK(user.source("the X server").detail.find("Connection refused") != std::string::npos);
}

TEST_CASE("presence: what an X server sends that is not of the protocol ends it") {
  const BusDaemon system;
  const TempFolder folder;
  PresencePlaces where = places(system);
  where.display.name = folder.path("x");
  const os::Fd listener = listen_at(folder.path("x"));
  for (const std::string& sent :
       {std::string("\0\x04nope\0\0\x01\0", 9), std::string("\1\0\0\0\0\0\0\0", 8),
        std::string("\2\0\0\0\0\0\0\0", 8), std::string()}) {
    Watched user(where);
    user.loop.run_for(10ms);
    {
      const os::Fd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      REQUIRE(::send(server.get(), sent.data(), sent.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(sent.size()));
    }
    CHECK(user.turns([&] { return user.source("the X server").has_settled; }));
    CHECK_FALSE(user.source("the X server").works);
    CHECK(user.turns([&] { return user.presence() == Presence(); }));
  }
}

TEST_CASE("presence: an X server that floods is cut off") {
  const BusDaemon system;
  const TempFolder folder;
  PresencePlaces where = places(system);
  where.display.name = folder.path("x");
  const os::Fd listener = listen_at(folder.path("x"));
  Watched user(where);
  user.loop.run_for(10ms);
  const os::Fd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::string sent("\1\0\x0b\0\0\0\x08\0", 8);  // welcome, with eight more words
  sent.resize(8 + 32);
  for (int i = 0; i < 500; ++i)
    sent += '\x22' + std::string(31, '\0');  // MappingNotify, which all clients get
  REQUIRE(::send(server.get(), sent.data(), sent.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(sent.size()));
  REQUIRE(user.turns([&] { return user.source("the X server").has_settled; }));
  CHECK(user.source("the X server").detail == "it sends more than anybody asked for");
}

// ---- Mutter, played by a template of our own

constexpr const char* kMonitor = "org.gnome.Mutter.IdleMonitor";
constexpr const char* kCore = "/org/gnome/Mutter/IdleMonitor/Core";
constexpr const char* kMock = "org.freedesktop.DBus.Mock";

constexpr const char* kMutter = R"(
import dbus
from dbusmock import MOCK_IFACE
BUS_NAME = 'org.gnome.Mutter.IdleMonitor'
MAIN_OBJ = '/org/gnome/Mutter/IdleMonitor/Core'
MAIN_IFACE = BUS_NAME
SYSTEM_BUS = False
def load(mock, parameters):
    mock.idle, mock.watches, mock.idle_watch, mock.input_watch = 0, 0, 0, 0
@dbus.service.method(MAIN_IFACE, in_signature='t', out_signature='u')
def AddIdleWatch(self, interval):
    self.watches += 1
    self.idle_watch = self.watches
    return self.watches
@dbus.service.method(MAIN_IFACE, in_signature='', out_signature='u')
def AddUserActiveWatch(self):
    self.watches += 1
    self.input_watch = self.watches
    return self.watches
@dbus.service.method(MAIN_IFACE, in_signature='', out_signature='t')
def GetIdletime(self):
    return self.idle
@dbus.service.method(MOCK_IFACE, in_signature='t', out_signature='')
def Leave(self, idle):
    self.idle = idle
    self.EmitSignal(MAIN_IFACE, 'WatchFired', 'u', [dbus.UInt32(self.idle_watch)])
@dbus.service.method(MOCK_IFACE, in_signature='', out_signature='')
def Type(self):
    self.idle = 0
    if self.input_watch:
        self.EmitSignal(MAIN_IFACE, 'WatchFired', 'u', [dbus.UInt32(self.input_watch)])
    self.input_watch = 0
)";

TEST_CASE("presence: Mutter tells when nobody has typed for so long, and of the next key") {
  const BusDaemon buses;
  const TempFolder folder;
  const std::string mutter = folder.write("mutter.py", kMutter);
  PresencePlaces where = places(buses);
  where.session_bus = buses.address();
  std::optional<MockService> service;
  service.emplace(buses, mutter, kMonitor);
  Watched user(where, 180s);
  REQUIRE(user.turns([&] { return user.is_here("input at Mutter"); }));
  for (int time = 0; time < 2; ++time) {
    service->call(kCore, kMock, "Leave", {"t", "180000"});
    REQUIRE(user.turns([&] { return user.is_away(180s); }));
    CHECK(user.presence().source == "Mutter");
    service->call(kCore, kMock, "Type");
    REQUIRE(user.turns([&] { return user.is_here("input at Mutter"); }));
  }
  service.reset();
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  service.emplace(buses, mutter, kMonitor);
  CHECK(user.turns([&] { return user.is_here("input at Mutter"); }));
}

TEST_CASE("presence: a Mutter that hangs is as good as none, and is asked again") {
  const BusDaemon system;
  const BusDaemon session;
  const TempFolder folder;
  const MockService mutter(session, folder.write("mutter.py", kMutter), kMonitor);
  ::kill(mutter.pid(), SIGSTOP);
  PresencePlaces where = places(system);
  where.session_bus = session.address();
  Watched user(where);
  CHECK(user.is_here("Mutter has not answered yet"));
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  ::kill(mutter.pid(), SIGCONT);
  CHECK(user.turns([&] { return user.is_here("input at Mutter"); }));
}

TEST_CASE("presence: who inhibits GNOME's session from being idle is here") {
  constexpr const char* kPath = "/org/gnome/SessionManager";
  constexpr const char* kGnome = "org.gnome.SessionManager";
  const BusDaemon buses;
  const TempFolder folder;
  const std::string text = R"(
import dbus
BUS_NAME = 'org.gnome.SessionManager'
MAIN_OBJ = '/org/gnome/SessionManager'
MAIN_IFACE = BUS_NAME
SYSTEM_BUS = False
def load(mock, parameters):
    mock.AddProperty(MAIN_IFACE, 'InhibitedActions', dbus.UInt32(4))
)";
  const MockService gnome(buses, folder.write("gnome.py", text), kGnome);
  PresencePlaces where = places(buses);
  where.session_bus = buses.address();
  Watched user(where);
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  gnome.set(kPath, kGnome, "InhibitedActions", "u", "12");
  REQUIRE(user.turns([&] { return user.is_here("an idle inhibitor"); }));
  gnome.set(kPath, kGnome, "InhibitedActions", "u", "4");
  CHECK(user.turns([&] { return user.presence() == Presence(); }));
}

// ---- logind

constexpr const char* kLogind = "org.freedesktop.login1";
constexpr const char* kLogindPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";
constexpr const char* kSession = "org.freedesktop.login1.Session";

std::string path_of(const std::string& session) {
  return std::string(kLogindPath) + "/session/" + session;
}

/// A logind who has these sessions of ours.
class Logins {
 public:
  explicit Logins(const BusDaemon& bus) : logind_(bus, "logind", kLogind) {
    logind_.call(kLogindPath, kMock, "AddProperty", {"ssv", kManager, "BlockInhibited", "s", ""});
  }
  void add(const std::string& session, const std::string& type, uid_t user = ::getuid()) const {
    logind_.call(kLogindPath, kMock, "AddSession",
                 {"ssusb", session, "seat0", std::to_string(user), "ana", "true"});
    set(session, "Type", "s", type);
    logind_.call(kLogindPath, kMock, "EmitSignal",
                 {"sssav", kManager, "SessionNew", "so", "2", "s", session, "o", path_of(session)});
  }
  void set(const std::string& session, const std::string& property, const std::string& type,
           const std::string& value) const {
    logind_.set(path_of(session), kSession, property, type, value);
  }
  void set_inhibited(const std::string& what) const {
    logind_.set(kLogindPath, kManager, "BlockInhibited", "s", what);
  }
  [[nodiscard]] const MockService& service() const { return logind_; }

 private:
  MockService logind_;
};

std::string microseconds_of(TimePoint instant) {
  return std::to_string(instant.time_since_epoch().count());
}

TEST_CASE("presence: logind tells whose screen is locked, and who is idle since when") {
  const BusDaemon system;
  const Logins logind(system);
  Watched user(places(system), 60s);
  REQUIRE(user.turns([&] { return user.presence().away == kAwayAtOnce; }));  // nobody is logged in
  logind.add("c1", "wayland");
  REQUIRE(user.turns([&] { return user.is_here("session c1 is not idle"); }));
  logind.set("c1", "LockedHint", "b", "true");
  REQUIRE(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
  logind.set("c1", "LockedHint", "b", "false");
  REQUIRE(user.turns([&] { return user.is_here("session c1 is not idle"); }));
  logind.set("c1", "IdleHint", "b", "true");
  REQUIRE(user.turns([&] { return user.is_here("nobody can see"); }));  // since 1970
  logind.set("c1", "IdleSinceHint", "t", microseconds_of(os::now() - 2s));
  REQUIRE(user.turns([&] { return user.is_away(2s); }));
  logind.set("c1", "Class", "s", "greeter");
  CHECK(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
}

TEST_CASE("presence: without $DISPLAY the X server of the user's session is asked") {
  const BusDaemon system;
  const XServer server;
  const Logins logind(system);
  PresencePlaces where = places(system);
  where.user = ::getuid();
  Watched user(where);
  REQUIRE(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
  logind.add("c1", "tty");
  logind.set("c1", "Display", "s", server.display());
  logind.set("c1", "Type", "s", "x11");
  REQUIRE(user.turns([&] { return user.source("the X server").works; }));
  REQUIRE(user.turns([&] { return user.is_away() && *user.presence().away < 1h; }));
  logind.set("c1", "LockedHint", "b", "true");
  CHECK(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
}

TEST_CASE("presence: other users' sessions are for root's jobs only") {
  const BusDaemon system;
  const Logins logind(system);
  const uid_t other = ::getuid() + 1;
  logind.add("c7", "wayland", other);
  PresencePlaces where = places(system);
  Watched all(where);
  CHECK(all.turns([&] { return all.is_here("session c7 is not idle"); }));
  where.user = ::getuid();
  Watched mine(where);
  CHECK(mine.turns([&] { return mine.presence() == Presence(); }));
}

TEST_CASE("presence: who has a terminal was there when it was read last") {
  const BusDaemon system;
  const Logins logind(system);
  PresencePlaces where = places(system);
  const TimePoint read = os::now() - 90s;
  where.tty_input = [&](const std::string& tty) {
    return tty == "tty3" ? std::optional(read) : std::nullopt;
  };
  logind.add("c2", "tty");
  logind.set("c2", "TTY", "s", "tty3");
  Watched user(where);
  REQUIRE(user.turns([&] { return user.is_away(90s); }));
  CHECK(user.presence().source == "session c2");
}

TEST_CASE("presence: an idle inhibitor of logind's means that somebody is here, but not our own") {
  const BusDaemon system;
  const Logins logind(system);
  const auto hold = [&](const std::string& who) {
    return Child({"systemd-inhibit", "--what=idle", "--who=" + who, "--why=playing", "--mode=block",
                  "sleep", "1000"},
                 {"DBUS_SYSTEM_BUS_ADDRESS=" + system.address()});
  };
  const auto is_held = [&](const std::string& who) {
    return tests::eventually([&] {
      const auto list = Child({"busctl", "--address=" + system.address(), "call", kLogind,
                               kLogindPath, kManager, "ListInhibitors"},
                              {})
                            .wait();
      return list.out.find('"' + who + '"') != std::string::npos;
    });
  };
  Watched user(places(system));
  REQUIRE(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
  {
    const Child ours = hold("lull");
    REQUIRE(is_held("lull"));
    logind.set_inhibited("sleep:idle");
    REQUIRE(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
    const Child video = hold("mpv");
    REQUIRE(is_held("mpv"));
    logind.set_inhibited("idle");
    REQUIRE(user.turns([&] { return user.is_here("an idle inhibitor: mpv: playing"); }));
  }
  logind.set_inhibited("sleep");
  CHECK(user.turns([&] { return user.presence().away == kAwayAtOnce; }));
}

TEST_CASE("presence: a logind that hangs is as good as none, and is asked again") {
  const BusDaemon system;
  const Logins logind(system);
  logind.add("c1", "wayland");
  ::kill(logind.service().pid(), SIGSTOP);
  Watched user(places(system));
  CHECK(user.is_here("logind has not answered yet"));
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  ::kill(logind.service().pid(), SIGCONT);
  CHECK(user.turns([&] { return user.is_here("session c1 is not idle"); }));
}

TEST_CASE("presence: without a bus, a display or a login nobody can tell") {
  PresencePlaces where = places(BusDaemon());  // which has ended by now
  where.display.name = "elsewhere:10.0";
  where.session_bus = where.system_bus;
  Watched user(where);
  CHECK(user.changes == 0);
  REQUIRE(user.turns([&] { return user.presence() == Presence(); }));
  CHECK(user.source("the X server").detail.find("not on this machine") != std::string::npos);
}

TEST_CASE("terminal input: is when the terminal was read, by eight seconds at most too late") {
  const os::Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  const std::string path = ::ptsname(master.get());
  const os::Fd terminal(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), long_ago, 0) == 0);
  const std::string name = path.substr(std::string("/dev/").size());
  CHECK(os::terminal_input(name) == TimePoint(1008s));
  const TimePoint before = os::now();
  REQUIRE(::write(master.get(), "x\n", 2) == 2);
  char read[2] = {};
  REQUIRE(::read(terminal.get(), read, sizeof read) == 2);
  const auto input = os::terminal_input(name);
  REQUIRE(input.has_value());
  CHECK(*input >= before);
  CHECK(*input <= os::now() + 8s);
  CHECK(os::terminal_input("pts/none") == std::nullopt);
  CHECK(os::terminal_input("null/..") == std::nullopt);
}

}  // namespace
}  // namespace lull::desktop
