// What a due job waits for, each with the real part, or on a bus of the test's own a service that
// says what the real one would.
#include "jobs/rfc3339.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/power_supplies.hpp"
#include "runner/os/terminals.hpp"
#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/file_systems.hpp"
#include "tests/support/gated_job.hpp"
#include "tests/support/one_run.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/x_server.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

using namespace lull::tests;
using nlohmann::json;

namespace {

constexpr const char* kUPower = "org.freedesktop.UPower";
constexpr const char* kUPowerPath = "/org/freedesktop/UPower";
constexpr const char* kManager = "org.freedesktop.NetworkManager";
constexpr const char* kManagerPath = "/org/freedesktop/NetworkManager";

}  // namespace

TEST_CASE("gates: a job waits for mains without waking up, and starts when they are there") {
  SystemBus system;
  const MockService upower(system.bus(), "upower", kUPower);
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "true");
  GatedJob job("power = \"ac\"\n");
  REQUIRE(job.waits_for("power: on battery"));
  CHECK(job.sleeps());
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "false");
  CHECK(job.has_run());
}

TEST_CASE("gates: on battery a job may ask for so much charge") {
  constexpr const char* kDisplay = "/org/freedesktop/UPower/devices/DisplayDevice";
  constexpr const char* kDevice = "org.freedesktop.UPower.Device";
  SystemBus system;
  const MockService upower(system.bus(), "upower", kUPower);
  upower.set(kUPowerPath, kUPower, "OnBattery", "b", "true");
  upower.set(kDisplay, kDevice, "Type", "u", "2");
  upower.set(kDisplay, kDevice, "IsPresent", "b", "true");
  upower.set(kDisplay, kDevice, "Percentage", "d", "40.0");
  GatedJob job("power = { battery_above = 40 }\n");
  REQUIRE(job.waits_for("power: on battery, 40 % left"));
  upower.set(kDisplay, kDevice, "Percentage", "d", "41.0");
  CHECK(job.has_run());
}

TEST_CASE("gates: a job waits for a connection that is not metered") {
  SystemBus system;
  const MockService manager(system.bus(), "networkmanager", kManager);
  manager.call(kManagerPath, "org.freedesktop.DBus.Mock", "AddProperty",
               {"ssv", kManager, "Metered", "u", "3"});  // which the template lacks
  manager.set(kManagerPath, kManager, "State", "u", "20");
  GatedJob job("network = \"unmetered\"\n");
  REQUIRE(job.waits_for("network: not connected"));
  manager.set(kManagerPath, kManager, "Connectivity", "u", "4");
  manager.set(kManagerPath, kManager, "State", "u", "70");
  REQUIRE(job.waits_for("network: the connection is metered"));
  manager.set(kManagerPath, kManager, "Metered", "u", "4");
  CHECK(job.has_run());
}

TEST_CASE("gates: a job waits for what it reads to be there") {
  const TempFolder folder;
  GatedJob job("exists = [\"" + folder.path() + "\", \"" + folder.path("a/b/documents") + "\"]\n");
  REQUIRE(job.waits_for("exists: there is no " + folder.path("a/b/documents")));
  CHECK(job.sleeps());
  std::filesystem::create_directories(folder.path("a/b"));
  folder.write("a/b/documents", "");
  CHECK(job.has_run());
}

TEST_CASE("gates: a job waits for its file system to be mounted, and not for its folder") {
  if (::geteuid() != 0) return;  // who else may mount
  const TempFolder folder;
  const std::string point = folder.path("nas");
  std::filesystem::create_directory(point);
  const LoopDisk disk(folder.path("disk.img"));
  const std::string by = GENERATE(as<std::string>{}, "point", "uuid");
  GatedJob job(by == "point" ? "mounted = \"" + point + "\"\n"
                             : "mounted = { uuid = \"" + disk.uuid() + "\" }\n");
  REQUIRE(job.waits_for("mounted: "));
  CHECK(job.sleeps());
  disk.mount_at(point);
  CHECK(job.has_run());
}

TEST_CASE("gates: a file system that never answers holds its job, and nothing else") {
  DeadFileSystem nas;
  if (!nas.is_there()) return;  // only root may mount, and only where there is FUSE
  GatedJob job("exists = \"" + nas.path("documents") + "\"\n");
  REQUIRE(job.waits_for("exists: no answer yet whether there is " + nas.path("documents")));
  job.instance().job("other", "command = [\"/bin/true\"]\n");
  REQUIRE(eventually([&] { return job.instance().lull({"status", "other"}).exit_code == 0; }));
  CHECK(job.instance().lull({"start", "other", "--wait"}).exit_code == 0);
  nas.end();  // its folder is one of this machine's again
  REQUIRE(job.waits_for("exists: there is no " + nas.path("documents")));
  std::ofstream(nas.path("documents")) << "";
  CHECK(job.has_run());
}

TEST_CASE("gates: a job is held by its check, which is run as the job would be") {
  const TempFolder folder;
  const auto check = [&](int exit_code) {
    return "check = [\"/bin/sh\", \"-c\", \"echo asked for $LULL_JOB; exit " +
           std::to_string(exit_code) + "\"]\n";
  };
  GatedJob job(check(75));
  REQUIRE(job.waits_for("check: /bin/sh exited with 75: not now"));
  CHECK(job.sleeps());
  CHECK(slurp(job.instance().path("state") + "/logs/backup/check.log") == "asked for backup\n");
  job.define(check(3));
  REQUIRE(job.waits_for("check: /bin/sh exited with 3: an error"));
  job.define("check = [\"/no/such/program\"]\n");
  REQUIRE(job.waits_for("check: /no/such/program could not be run: "));
  job.define(check(0));
  CHECK(job.has_run());
}

TEST_CASE("gates: a job comes after another that has a slot of its own") {
  GatedJob job("after = [\"prune\"]\n");  // of which there is none
  REQUIRE(eventually([&] { return job.instance().status("backup")["state"] == "broken"; }));
  job.instance().job("prune", "command = [\"/bin/true\"]\n");
  REQUIRE(job.waits_for("after: prune must succeed first"));
  CHECK(job.sleeps());
  CHECK(job.instance().lull({"start", "prune", "--wait"}).exit_code == 0);
  CHECK(job.has_run());
}

TEST_CASE("gates: a job without a slot is due when all that it comes after have succeeded") {
  Instance instance;
  const TempFolder folder;
  instance.settings("");
  instance.job("dump", "command = [\"/bin/true\"]\n");
  instance.job("prune", "command = [\"/usr/bin/test\", \"-e\", \"" + folder.path("go") + "\"]\n");
  instance.job("copy", "command = [\"/bin/true\"]\n[when]\nafter = [\"dump\", \"prune\"]\n");
  instance.start_daemon();
  const auto start = [&](const std::string& job) {
    return instance.lull({"start", job, "--wait"}).exit_code;
  };
  const auto copies = [&] { return instance.history("copy").size(); };
  CHECK(start("dump") == 0);
  CHECK(start("prune") == 1);
  folder.write("go", "");
  CHECK(instance.status("copy")["state"] == "idle");
  CHECK(start("prune") == 0);
  REQUIRE(eventually([&] { return copies() == 1; }));
  CHECK(instance.history("copy")[0]["trigger"] == "schedule");
  // One success of each is used up with that.
  CHECK(start("prune") == 0);
  CHECK(start("prune") == 0);
  CHECK(start("dump") == 0);
  REQUIRE(eventually([&] { return copies() == 2; }));
  // Nor is it made again by the next supervisor; what that one missed is.
  REQUIRE(eventually([&] { return instance.status("copy")["state"] == "idle"; }));
  instance.end_daemon(SIGKILL);
  instance.start_daemon();
  CHECK(start("dump") == 0);
  CHECK(copies() == 2);
  CHECK(start("prune") == 0);
  CHECK(eventually([&] { return copies() == 3; }));
}

TEST_CASE(
    "gates: a job outside its hours waits, and starts at its deadline or when they are changed") {
  using std::chrono::hours;
  Instance instance;
  const auto in_utc = [](hours from_now) {
    return lull::format_rfc3339(std::chrono::floor<hours>(lull::os::now() + from_now), lull::Zone())
        .substr(11, 5);
  };
  const auto job = [&](const std::string& more, const std::string& window) {
    return std::string("command = [\"/bin/true\"]\n") +
           "[schedule]\nevery = \"1s\"\ntimezone = \"UTC\"\n" + more + "[when]\nhours = \"" +
           window + "\"\n";
  };
  const std::string later = in_utc(hours(3)) + "-" + in_utc(hours(5));
  instance.job("patient", job("", later));
  instance.job("overdue", job("deadline = \"2s\"\n", later));
  instance.start_daemon();
  CHECK(eventually([&] {  // a slot that came while it went on is in the history too, as skipped
    const json runs = instance.history("overdue");
    return !runs.empty() && runs.back()["outcome"] == "success";
  }));
  const json waiting = instance.status("patient")["waiting"];
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0]["gate"] == "hours");
  CHECK_THAT(waiting[0]["reason"].get<std::string>(), ContainsSubstring("until "));
  CHECK(instance.history("patient").size() == 1);  // for all its slots until then
  instance.job("patient", job("", in_utc(hours(-3)) + "-" + in_utc(hours(3))));
  CHECK_FALSE(instance.ended_runs("patient", 1).empty());
}

TEST_CASE("gates: what nobody can tell holds nobody, if the machine cannot but be so") {
  SystemBus system;  // no UPower there, and here no battery
  if (lull::os::read_power_supplies()) return;
  const GatedJob job("power = \"ac\"\n");
  CHECK(job.has_run());
}

TEST_CASE(
    "gates: a job waits without waking up while somebody types, and starts when nobody does") {
  SystemBus system;  // no logind there
  ::setenv("DBUS_SESSION_BUS_ADDRESS", system.bus().address().c_str(), 1);
  ::unsetenv("WAYLAND_DISPLAY");
  const XServer server;
  ::setenv("DISPLAY", server.display().c_str(), 1);
  {
    std::unique_ptr<Child> typing = server.keep_typing();
    GatedJob job("away = \"10s\"\n");
    REQUIRE(job.waits_for("away: somebody is here: there is input at the X server"));
    CHECK(job.sleeps());
    CHECK(job.waits_for("there is input at the X server"));
    typing.reset();
    CHECK(job.has_run());
  }
  ::unsetenv("DISPLAY");
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

TEST_CASE("gates: where nobody can tell whether somebody is here, somebody is") {
  SystemBus system;
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
  ::unsetenv("DISPLAY");
  if (!lull::os::terminal_logins().empty()) return;
  GatedJob job("away = \"1s\"\n");
  CHECK(job.waits_for("away: nothing tells whether somebody is here"));
}
