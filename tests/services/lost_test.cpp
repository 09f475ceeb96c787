// What becomes of a run under which a gate shuts, with the same real parts as in gates_test.cpp.
#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/file_systems.hpp"
#include "tests/support/gated_job.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/x_server.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

using namespace lull::tests;

namespace {

constexpr const char* kUPower = "org.freedesktop.UPower";
constexpr const char* kUPowerPath = "/org/freedesktop/UPower";
constexpr const char* kManager = "org.freedesktop.NetworkManager";
constexpr const char* kManagerPath = "/org/freedesktop/NetworkManager";

/// A job that goes on until it is told to end.
class LongJob {
 public:
  explicit LongJob(const std::string& when)
      : job(when, "script = \"until test -e '" + folder_.path("go") + "'; do sleep 0.1; done\"\n") {
  }
  void let_end() const { folder_.write("go", ""); }

 private:
  TempFolder folder_;

 public:
  GatedJob job;
};

/// Held by what `shut` does to a gate, and let go by what `open` does.
template <class Shut, class Open>
void check_pause(const LongJob& it, const std::string& reason, Shut shut, Open open) {
  REQUIRE(it.job.is("running"));
  shut();
  REQUIRE(it.job.is("paused"));
  CHECK(eventually([&] { return it.job.reason_of_level().find(reason) != std::string::npos; }));
  open();
  REQUIRE(it.job.is("running"));
  it.let_end();
  CHECK(it.job.has_run());
}

/// Waits until the supervisor has heard that the machine is on battery, as a second job tells.
void wait_until_heard(const Instance& instance) {
  REQUIRE(eventually([&] {
    const auto waiting = instance.status("witness")["waiting"];
    return !waiting.empty() && waiting[0]["reason"].get<std::string>().starts_with("on battery");
  }));
}

/// A job that waits for power for ever, so that UPower is listened to.
void add_witness(const Instance& instance) {
  instance.job("witness",
               "command = [\"/bin/true\"]\n[schedule]\nat = \"*:*:*\"\n"
               "[when]\npower = \"ac\"\nexists = \"/no/such/thing\"\n");
  REQUIRE(instance.lull({"reload"}).exit_code == 0);
  REQUIRE(eventually([&] { return instance.status("witness")["state"] == "due"; }));
}

}  // namespace

TEST_CASE("lost: a run pauses while the machine is on battery") {
  SystemBus system;
  const MockService upower(system.bus(), "upower", kUPower);
  const auto on_battery = [&](const char* is) {
    upower.set(kUPowerPath, kUPower, "OnBattery", "b", is);
  };
  on_battery("false");
  const LongJob it("power = \"ac\"\nlost = \"pause\"\n");
  check_pause(
      it, "power: on battery", [&] { on_battery("true"); }, [&] { on_battery("false"); });
}

TEST_CASE("lost: a run pauses while there is no network") {
  SystemBus system;
  const MockService manager(system.bus(), "networkmanager", kManager);
  const auto state = [&](const char* is) { manager.set(kManagerPath, kManager, "State", "u", is); };
  manager.set(kManagerPath, kManager, "Connectivity", "u", "4");
  state("70");
  const LongJob it("network = \"up\"\nlost = \"pause\"\n");
  check_pause(
      it, "network: not connected", [&] { state("20"); }, [&] { state("70"); });
}

TEST_CASE("lost: a run pauses while its file system is not mounted") {
  if (::geteuid() != 0) return;  // who else may mount
  const TempFolder folder;
  const std::string point = folder.path("nas");
  std::filesystem::create_directory(point);
  const LoopDisk disk(folder.path("disk.img"));
  disk.mount_at(point);
  const LongJob it("mounted = \"" + point + "\"\nlost = \"pause\"\n");
  check_pause(
      it, "mounted: nothing is mounted at " + point, [&] { disk.unmount(); },
      [&] { disk.mount_at(point); });
}

TEST_CASE("lost: a run pauses as soon as somebody types") {
  SystemBus system;  // no logind there
  ::setenv("DBUS_SESSION_BUS_ADDRESS", system.bus().address().c_str(), 1);
  ::unsetenv("WAYLAND_DISPLAY");
  const XServer server;
  ::setenv("DISPLAY", server.display().c_str(), 1);
  {
    const LongJob it("away = \"10s\"\nlost = \"pause\"\n");
    check_pause(
        it, "away: somebody is here", [&] { server.type(); }, [] {});
  }
  ::unsetenv("DISPLAY");
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

TEST_CASE("lost: what the next supervisor has not heard of yet is not lost") {
  SystemBus system;
  ::setenv("DBUS_SESSION_BUS_ADDRESS", system.bus().address().c_str(), 1);
  ::unsetenv("WAYLAND_DISPLAY");
  const XServer server;
  ::setenv("DISPLAY", server.display().c_str(), 1);
  {
    LongJob it("away = \"5s\"\nlost = \"stop\"\n");
    REQUIRE(it.job.is("running"));
    it.job.replace_supervisor();
    REQUIRE(it.job.is("running"));
    it.let_end();
    CHECK(it.job.has_run());
  }
  ::unsetenv("DISPLAY");
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

TEST_CASE("lost: a run pauses while a path is not there") {
  if (::geteuid() != 0) return;  // who else may mount, and of a mount alone a run hears at once
  const TempFolder folder;
  const std::string point = folder.path("nas");
  std::filesystem::create_directory(point);
  const LoopDisk disk(folder.path("disk.img"));
  disk.mount_at(point);
  std::filesystem::create_directory(point + "/documents");
  const LongJob it("exists = \"" + point + "/documents\"\nlost = \"pause\"\n");
  check_pause(
      it, "exists: there is no " + point + "/documents", [&] { disk.unmount(); },
      [&] { disk.mount_at(point); });
}

TEST_CASE("lost: a run pauses when its hours are over") {
  const auto now = std::chrono::system_clock::now();
  const auto minute = std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes(1);
  const auto of_day = minute - std::chrono::floor<std::chrono::days>(minute);
  const auto clock = [](std::chrono::minutes time) {
    const std::string minutes = std::to_string(100 + time.count() % 60);
    return std::to_string(time.count() / 60 % 24) + ":" + minutes.substr(1);
  };
  const auto ends = std::chrono::duration_cast<std::chrono::minutes>(of_day) +
                    std::chrono::minutes(now + std::chrono::seconds(20) > minute ? 1 : 0);
  const LongJob it("hours = \"" + clock(ends + std::chrono::hours(1)) + "-" + clock(ends) +
                   "\"\nlost = \"pause\"\n");
  REQUIRE(it.job.is("running"));
  CHECK(eventually([&] { return it.job.instance().status("backup")["state"] == "paused"; },
                   2 * kDeadline));
  CHECK(eventually(
      [&] { return it.job.reason_of_level().find("hours: only from ") != std::string::npos; }));
}

TEST_CASE("lost: a run is stopped where that is asked for, and goes on where nothing is") {
  SystemBus system;
  const MockService upower(system.bus(), "upower", kUPower);
  const std::string lost = GENERATE(as<std::string>{}, "stop", "continue");
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "false");
  const LongJob it("power = \"ac\"\nlost = \"" + lost + "\"\n");
  REQUIRE(it.job.is("running"));
  add_witness(it.job.instance());
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "true");
  if (lost == "stop") {
    CHECK(it.job.has_run("stopped"));
  } else {
    wait_until_heard(it.job.instance());
    CHECK(it.job.is("running"));
    it.let_end();
    CHECK(it.job.has_run());
  }
}

TEST_CASE("lost: a run that was started by hand goes on") {
  SystemBus system;
  const MockService upower(system.bus(), "upower", kUPower);
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "true");
  LongJob it("power = \"ac\"\nlost = \"stop\"\n");
  REQUIRE(it.job.waits_for("power: on battery"));
  REQUIRE(it.job.instance().lull({"start", "backup"}).exit_code == 0);
  REQUIRE(it.job.is("running"));
  add_witness(it.job.instance());
  SECTION("under the supervisor that was told to") {}
  SECTION("under the next one") { it.job.replace_supervisor(); }
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "false");
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "true");
  wait_until_heard(it.job.instance());
  CHECK(it.job.is("running"));
  it.let_end();
  CHECK(it.job.has_run());
}
