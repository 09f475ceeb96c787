#include "runner/desktop/property_watch.hpp"

#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/turn.hpp"

#include <boost/asio/io_context.hpp>
#include <systemd/sd-bus.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace lull::desktop {
namespace {

using tests::BusDaemon;
using tests::MockService;
using tests::turn_until;

constexpr const char* kName = "org.freedesktop.UPower";
constexpr const char* kPath = "/org/freedesktop/UPower";
constexpr const char* kDisplay = "/org/freedesktop/UPower/devices/DisplayDevice";
constexpr const char* kDevice = "org.freedesktop.UPower.Device";

/// Watches UPower's own object and its display device.
struct Watched {
  explicit Watched(const std::string& address)
      : watch(loop.get_executor(), address, kName, {{kPath, kName}, {kDisplay, kDevice}},
              [this] { ++changes; }) {}

  std::optional<bool> on_battery() const {
    const Properties* properties = watch.of(0);
    return properties == nullptr ? std::nullopt : value_of<bool>(*properties, "OnBattery");
  }
  std::optional<double> percentage() const {
    const Properties* properties = watch.of(1);
    return properties == nullptr ? std::nullopt : value_of<double>(*properties, "Percentage");
  }

  boost::asio::io_context loop;
  int changes = 0;
  PropertyWatch watch;
};

TEST_CASE("property watch: has the properties of each object, and hears of their changes") {
  const BusDaemon bus;
  const MockService upower(bus, "upower", kName);
  Watched watched(bus.address());
  REQUIRE(turn_until(watched.loop, [&] { return watched.on_battery() == false; }));
  REQUIRE(turn_until(watched.loop, [&] { return watched.percentage() == 0.0; }));
  CHECK(value_of<std::string>(*watched.watch.of(0), "OnBattery") == std::nullopt);
  CHECK(value_of<std::int64_t>(*watched.watch.of(1), "State") == 0);

  upower.set(kPath, kName, "OnBattery", "b", "true");
  REQUIRE(turn_until(watched.loop, [&] { return watched.on_battery() == true; }));
  upower.set(kDisplay, kDevice, "Percentage", "d", "48.5");
  REQUIRE(turn_until(watched.loop, [&] { return watched.percentage() == 48.5; }));
  // Told again, it is no change.
  const int before = watched.changes;
  upower.set(kPath, kName, "OnBattery", "b", "true");
  upower.set(kPath, kName, "IsDocked", "b", "true");
  REQUIRE(turn_until(watched.loop, [&] { return watched.changes > before; }));
  CHECK(watched.changes == before + 1);
}

TEST_CASE("property watch: knows nothing of a service that is not there, until it comes") {
  BusDaemon bus;
  Watched watched(bus.address());
  REQUIRE(turn_until(watched.loop, [&] { return watched.changes > 0; }));
  CHECK(watched.watch.of(0) == nullptr);
  MockService upower(bus, "upower", kName);
  REQUIRE(turn_until(watched.loop, [&] { return watched.on_battery() == false; }));
  upower.end();
  REQUIRE(turn_until(watched.loop, [&] { return watched.watch.of(0) == nullptr; }));
  bus.end();
  bus.start();
  const MockService again(bus, "upower", kName);
  CHECK(turn_until(
      watched.loop, [&] { return watched.on_battery() == false; }, std::chrono::seconds(30)));
}

TEST_CASE("property watch: a service that hangs is as good as none, and is asked again") {
  const BusDaemon bus;
  const MockService upower(bus, "upower", kName);
  ::kill(upower.pid(), SIGSTOP);
  Watched watched(bus.address());
  REQUIRE(turn_until(watched.loop, [&] { return watched.changes > 0; }));
  CHECK(watched.watch.of(0) == nullptr);
  ::kill(upower.pid(), SIGCONT);
  CHECK(turn_until(
      watched.loop, [&] { return watched.on_battery() == false; }, std::chrono::seconds(30)));
}

/// How many connections there are to a bus.
std::size_t connections(sd_bus* through) {
  char** names = nullptr;
  REQUIRE(sd_bus_list_names(through, &names, nullptr) >= 0);
  std::size_t unique = 0;
  for (char** name = names; name != nullptr && *name != nullptr; ++name) {
    unique += **name == ':' ? 1U : 0U;
    std::free(*name);
  }
  std::free(names);
  return unique;
}

TEST_CASE("property watch: a service that floods is cut off, and taken up again later") {
  const BusDaemon bus;
  sd_bus* flooder = nullptr;
  REQUIRE(sd_bus_new(&flooder) >= 0);
  const std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)> kept(
      flooder, &sd_bus_flush_close_unref);
  REQUIRE(sd_bus_set_address(flooder, bus.address().c_str()) >= 0);
  REQUIRE(sd_bus_set_bus_client(flooder, 1) >= 0);
  REQUIRE(sd_bus_start(flooder) >= 0);
  REQUIRE(sd_bus_request_name(flooder, kName, 0) >= 0);
  Watched watched(bus.address());
  REQUIRE(turn_until(watched.loop, [&] { return connections(flooder) == 2; }));
  for (int i = 0; i < 500; ++i)
    sd_bus_emit_signal(flooder, kPath, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                       "sa{sv}as", kName, 0U, 0U);
  REQUIRE(sd_bus_flush(flooder) >= 0);
  CHECK(turn_until(watched.loop, [&] { return connections(flooder) == 1; }));
  CHECK(turn_until(
      watched.loop, [&] { return connections(flooder) == 2; }, std::chrono::seconds(30)));
}

}  // namespace
}  // namespace lull::desktop
