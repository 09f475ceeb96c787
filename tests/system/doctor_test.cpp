// What `lull doctor` says of this machine, against what the kernel does: as root and as nobody.
#include "runner/cli/doctor.hpp"

#include "runner/os/block_devices.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/experiment.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/machine_facts.hpp"
#include "runner/os/process.hpp"
#include "runner/os/read_file.hpp"
#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/gated_job.hpp"
#include "tests/support/one_run.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace {

using namespace lull;
using namespace lull::cli;
namespace fs = std::filesystem;

MachineFacts here() { return os::read_machine_facts("", os::own_permissions()); }

const Knob& knob(const std::vector<Knob>& knobs, const std::string& name) {
  const auto found =
      std::find_if(knobs.begin(), knobs.end(), [&](const Knob& each) { return each.name == name; });
  if (found == knobs.end()) throw std::runtime_error("no knob " + name);
  return *found;
}

/// Runs `work` in a child and returns its exit code; -1 if a signal ended it.
int in_child(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(work());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool may_make_group(const std::string& parent) {
  const std::string group = parent + "/lull-test-" + std::to_string(::getpid());
  if (::mkdir(group.c_str(), 0755) != 0) return false;
  ::rmdir(group.c_str());
  return true;
}

/// The groups of experiments that are there, in any hierarchy.
std::vector<std::string> trial_groups() {
  std::vector<std::string> found;
  const auto hierarchies = os::parse_hierarchies(os::read_file("/proc/self/mountinfo").value(),
                                                 os::read_file("/proc/self/cgroup").value());
  const std::string ours = "lull-doctor-" + std::to_string(::getpid());
  for (const os::CgroupHierarchy& hierarchy : hierarchies) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(hierarchy.mount + hierarchy.own, unreadable)) {
      if (entry.path().filename() == ours) found.push_back(entry.path());
    }
  }
  return found;
}

bool nothing_is_left() { return os::children_of(::getpid()).empty() && trial_groups().empty(); }

}  // namespace

TEST_CASE("doctor: the verdicts are right in an experiment, whoever asks") {
  const Diagnosis diagnosis = examine(here(), true);
  std::size_t measured = 0;
  for (const Knob& each : diagnosis.knobs) {
    CAPTURE(each.name, each.why, each.measured, to_string(each.verdict));
    // That is how a verdict begins which only the experiment put right.
    CHECK_THAT(each.why, !ContainsSubstring("though it should not be so"));
    CHECK_THAT(each.measured, !ContainsSubstring("could not be tried"));
    if (!each.measured.empty()) ++measured;
  }
  CHECK(measured == trials(diagnosis.facts).size());
  CHECK(nothing_is_left());
}

TEST_CASE("doctor: the knob that decides the CPU holds a spinner back, and no other is promised") {
  const MachineFacts facts = here();
  const Diagnosis diagnosis = examine(facts, false);
  const auto decides = [&](const std::string& name) {
    for (const Trial& trial : trials(facts)) {
      if (trial.knob != name) continue;
      const SharedCpu shared = os::try_out(trial).value();
      return shared.percent() < 25;
    }
    return false;
  };
  switch (diagnosis.capabilities.cpu) {
    case CpuKnob::cgroup:
      CHECK((decides("cpu.weight") || decides("cpu.shares (v1)")));
      break;
    case CpuKnob::autogroup:
      CHECK(decides("autogroup"));
      break;
    case CpuKnob::nice:
      CHECK(decides("nice"));
      break;
    case CpuKnob::none:
      CHECK_FALSE(decides("nice"));
      CHECK_FALSE(decides("autogroup"));
  }
  CHECK(nothing_is_left());
}

TEST_CASE("doctor: the directions are those of the system calls") {
  const MachineFacts facts = here();
  const int own = ::getpriority(PRIO_PROCESS, 0);
  CHECK(facts.own_nice == own);
  if (own < 19) {
    const int back = in_child([&] {
      if (::setpriority(PRIO_PROCESS, 0, 19) != 0) return 2;
      return ::setpriority(PRIO_PROCESS, 0, own) == 0 ? 1 : 0;
    });
    CHECK(back == static_cast<int>(capabilities(facts).may_renice(19, own)));
  }
  const int realtime = in_child([] {
    return os::set_io_priority(os::Whose::process, 0, {IoClass::realtime, 4}) ? 1 : 0;
  });
  CHECK(realtime == static_cast<int>(facts.realtime_io));
  const int both_ways = in_child([] {
    const bool down = !!os::set_io_priority(os::Whose::process, 0, {IoClass::idle, 0});
    const bool up = !!os::set_io_priority(os::Whose::process, 0, {IoClass::best_effort, 4});
    return down && up ? 1 : 0;
  });
  CHECK(both_ways == 1);
}

TEST_CASE("doctor: a raised limit gives nice its way back") {
  constexpr int kRefused = 100;  // without CAP_SYS_RESOURCE there is nothing to see
  const int ceiling = in_child([] {
    // With the capability gone, as a user whose limits.conf says so has it.
    const rlimit raised{25, 25};
    if (::setrlimit(RLIMIT_NICE, &raised) != 0) return kRefused;
    if (::getuid() == 0 && ::setuid(65534) != 0) return 101;
    return os::returnable_nice() + 50;
  });
  CHECK((ceiling == 50 - 5 || ceiling == kRefused));
}

TEST_CASE("doctor: a group is promised where one can be made, and only there") {
  const MachineFacts facts = here();
  bool freezes = false;
  for (const V1Group& group : facts.v1) {
    CAPTURE(group.controller, group.folder);
    CHECK(group.open == may_make_group(group.folder));
    // An existing `lull` may be somebody else's, or ours in a folder that is not.
    if (!fs::exists(group.folder + "/lull")) CHECK(group.writable == group.open);
  }
  if (facts.v2 && facts.v2->open) CHECK(may_make_group(facts.v2->folder));
  for (const V1Group& group : facts.v1)
    freezes = freezes || (group.controller == "freezer" && group.writable);
  freezes = freezes || (facts.v2 && facts.v2->writable);
  CHECK(capabilities(facts).freeze_by_cgroup == freezes);
}

TEST_CASE("doctor: inside a group of the cpu controller autogroups are void, and it says so") {
  const MachineFacts outside = here();
  const auto group = std::find_if(outside.v1.begin(), outside.v1.end(), [](const V1Group& each) {
    return each.controller == "cpu" && each.open;
  });
  if (group == outside.v1.end() || outside.autogroup == Autogroup::absent) return;
  const std::string folder = group->folder + "/lull-test-" + std::to_string(::getpid());
  REQUIRE(::mkdir(folder.c_str(), 0755) == 0);
  const int said = in_child([&] {
    std::ofstream(folder + "/cgroup.procs") << ::getpid() << std::flush;
    MachineFacts facts = here();
    if (facts.cpu_group != folder) return 1;
    // The experiment alone must come to the same.
    for (const Trial& trial : trials(facts)) {
      if (trial.knob != "autogroup") continue;
      const auto shared = os::try_out(trial);
      if (!shared || !shared->enough() || shared->percent() < 38) return 2;
    }
    const auto knobs = diagnose(facts);
    const bool right = knob(knobs, "autogroup").verdict == Verdict::no_effect &&
                       knob(knobs, "nice").verdict == Verdict::no_effect;
    return right ? 0 : 3;
  });
  CHECK(said == 0);
  CHECK(tests::eventually([&] { return ::rmdir(folder.c_str()) == 0; }));
}

TEST_CASE("doctor: an experiment that fails says why and leaves nothing") {
  const Trial nowhere{"x", Trial::Way::group, "/nonexistent", "cpu.idle", "1", ""};
  const auto none = os::try_out(nowhere);
  REQUIRE(none.has_error());
  CHECK_THAT(none.error().what(), ContainsSubstring("/nonexistent/lull-doctor-"));
  for (const V1Group& group : here().v1) {
    if (!group.open) continue;
    const Trial no_file{"x", Trial::Way::group, group.folder, "no.such.file", "1", ""};
    CHECK(os::try_out(no_file).error().code() == ENOENT);
  }
  CHECK(nothing_is_left());
}

TEST_CASE("doctor: spinners die with a doctor that is killed") {
  const pid_t doctor = ::fork();
  if (doctor == 0) {
    (void)os::try_out({"nice", Trial::Way::nice, "", "", "", ""}, std::chrono::seconds(25));
    ::_exit(0);
  }
  std::vector<pid_t> spinners;
  CHECK(tests::eventually([&] {
    spinners = os::children_of(doctor);
    return spinners.size() == 2;
  }));
  ::kill(doctor, SIGKILL);
  ::waitpid(doctor, nullptr, 0);
  for (const pid_t pid : spinners)
    CHECK(tests::eventually([&] { return !tests::is_alive(pid); }));
}

TEST_CASE("doctor: the command names each knob and each disk below the jobs' paths") {
  const tests::Instance instance;
  instance.job("a",
               "command = [\"true\"]\ndirectory = \"/usr\"\n[when]\nexists = \"/etc\"\n"
               "[output]\npublish = \"/srv/x/home-{slot}.tar\"\n");
  instance.job("bad", "command = 7\n");
  const auto json = instance.json({"doctor"});
  std::vector<std::string> names;
  for (const auto& each : json.at("knobs")) {
    names.push_back(each.at("knob"));
    const std::string verdict = each.at("verdict");
    CHECK((verdict == "works" || verdict == "no effect" || verdict == "not permitted"));
    CHECK_FALSE(each.at("why").get<std::string>().empty());
    CHECK(each.at("fix").is_string());
    CHECK((each.at("measured").is_null() || each.at("measured").is_string()));
  }
  for (const char* name : {"nice", "autogroup", "cpu.weight", "cpu.idle", "ioprio", "io.weight",
                           "memory.high", "freeze", "psi"}) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
  std::string paths;
  for (const auto& each : json.at("devices")) {
    for (const std::string path : each.at("paths"))
      paths += path + '\n';
    const std::string device = each.at("device");
    if (each.at("scheduler") == "none" || !fs::exists("/sys/block/" + device)) continue;
    const auto text = os::read_file("/sys/block/" + device + "/queue/scheduler").value();
    CHECK_THAT(text, ContainsSubstring('[' + each.at("scheduler").get<std::string>() + ']'));
  }
  for (const std::string path : {"/usr", "/etc", "/srv/x"})
    CHECK_THAT(paths, ContainsSubstring(fs::weakly_canonical(path).string()));
}

TEST_CASE("doctor: the table says the same, and without an experiment at once") {
  const tests::Instance instance;
  const auto done = instance.lull({"doctor", "--no-experiment"});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.out, ContainsSubstring("VERDICT"));
  CHECK_THAT(done.out, ContainsSubstring("SCHEDULER"));
  CHECK_THAT(done.out, !ContainsSubstring("measured:"));
  for (const Knob& each : diagnose(here()))
    CHECK_THAT(done.out, ContainsSubstring(each.name));
  const auto json =
      nlohmann::json::parse(instance.lull({"doctor", "--no-experiment", "--json"}).out);
  CHECK(json.at("knobs").at(0).at("measured").is_null());
}

TEST_CASE("doctor: the device of a path is the one that the kernel names") {
  const auto folder = fs::current_path().string();
  struct stat status {};
  REQUIRE(::stat(folder.c_str(), &status) == 0);
  const auto devices = os::devices_below("", {folder});
  REQUIRE_FALSE(devices.empty());
  const std::string link = "/sys/dev/block/" + std::to_string(status.st_dev >> 8 & 0xfff) + ':' +
                           std::to_string((status.st_dev & 0xff) | (status.st_dev >> 12 & 0xfff00));
  if (!fs::exists(link)) return;  // a file system without a device of its own
  const fs::path node = fs::canonical(link);
  const bool partition = fs::exists(node / "partition");
  const std::string disk = (partition ? node.parent_path() : node).filename();
  CHECK(std::any_of(devices.begin(), devices.end(),
                    [&](const BlockDevice& each) { return each.name == disk; }));
}

TEST_CASE("doctor: a job's paths are its folder, its gates' and where it publishes") {
  JobSpec spec;
  CHECK(paths_of_job(spec, "/home/a") == std::vector<std::string>{"/home/a"});
  spec.directory = "/data";
  spec.when.mounted = MountPoint{"/mnt/nas"};
  spec.when.exists = {"/a", "/b"};
  spec.output = OutputSpec{"/srv/{job}/x", PublishMode::exchange, "/srv/old/x-{slot}"};
  CHECK(paths_of_job(spec, "/home/a") ==
        std::vector<std::string>{"/data", "/mnt/nas", "/a", "/b", "/srv", "/srv/old"});
  spec.when.mounted = VolumeUuid{"x"};
  CHECK(paths_of_job(spec, "/home/a").size() == 5);
}

TEST_CASE("doctor: names who tells of each gate, and what he says") {
  tests::SystemBus system;
  const tests::MockService upower(system.bus(), "upower", "org.freedesktop.UPower");
  upower.set("/org/freedesktop/UPower", "org.freedesktop.UPower", "OnBattery", "b", "true");
  const tests::Instance instance;
  const auto gates = instance.json({"doctor", "--no-experiment"})["gates"];
  REQUIRE(gates.size() >= 3);
  CHECK(gates[0] ==
        nlohmann::json{
            {"gate", "power"}, {"source", "UPower"}, {"works", true}, {"says", "on battery"}});
  CHECK(gates[1]["gate"] == "network");
  CHECK(gates[1]["source"] == "the kernel's routes");
  for (std::size_t i = 2; i < gates.size(); ++i)
    CHECK(gates[i]["gate"] == "away");
  CHECK(gates.dump().find("logind") != std::string::npos);
}
