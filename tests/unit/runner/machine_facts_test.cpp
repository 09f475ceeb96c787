// What doctor would say on two other machines, from fixtures of their /proc and /sys.
#include "runner/os/machine_facts.hpp"

#include "runner/os/block_devices.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/temp_folder.hpp"

#include <map>
#include <set>

namespace {

using namespace lull;
using namespace lull::os;
using std::chrono::milliseconds;

constexpr const char* kService =
    "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/lull.service";

/// An unprivileged user who may write to these.
Permissions user(const std::set<std::string>& writable) {
  return {0, 20, false, milliseconds(2000), std::nullopt, [writable](const std::string& path) {
            return writable.count(path) == 1;
          }};
}

MachineFacts read(const std::string& machine, const Permissions& permissions,
                  const std::vector<std::string>& paths) {
  const std::string root = tests::fixture("machines/" + machine);
  MachineFacts facts = read_machine_facts(root, permissions);
  facts.devices = devices_below(root, paths);
  return facts;
}

using Verdicts = std::map<std::string, Verdict>;

Verdicts verdicts(const MachineFacts& facts) {
  Verdicts all;
  for (const Knob& knob : diagnose(facts))
    all[knob.name] = knob.verdict;
  return all;
}

}  // namespace

TEST_CASE("facts: a service of systemd's user manager, NVMe with none, LVM on dm-crypt") {
  const auto permissions = user({kService, std::string(kService) + "/cgroup.procs"});
  const MachineFacts facts = read("nvme-lvm-crypt", permissions, {"/home/ana"});
  CHECK(facts.kernel == KernelVersion{6, 1});
  CHECK(facts.autogroup == Autogroup::on);
  CHECK(facts.cpu_group == kService);
  CHECK(facts.v1.empty());
  CHECK(facts.v2 == V2Group{kService, false, true, true, {"cpu", "memory", "pids"}, {}});
  CHECK_FALSE(facts.iocost);
  CHECK(facts.psi == std::vector<std::string>{"cpu", "io", "memory"});
  CHECK(facts.psi_window == milliseconds(2000));

  CHECK(capabilities(facts) == Capabilities{CpuKnob::none, 20, true});
  CHECK(verdicts(facts) == Verdicts{{"nice", Verdict::no_effect},
                                    {"autogroup", Verdict::no_effect},
                                    {"cpu.weight", Verdict::no_effect},
                                    {"cpu.idle", Verdict::no_effect},
                                    {"ioprio", Verdict::no_effect},
                                    {"io.weight", Verdict::not_permitted},
                                    {"memory.high", Verdict::no_effect},
                                    {"freeze", Verdict::works},
                                    {"psi", Verdict::works}});
}

TEST_CASE("facts: PSI off and no autogroup, as a user without rights and as root") {
  const std::vector<std::string> paths{"/home/ana", "/srv/photos"};
  const MachineFacts facts = read("psi-off-no-autogroup", user({}), paths);
  CHECK(facts.kernel == KernelVersion{5, 10});
  CHECK(facts.autogroup == Autogroup::absent);
  CHECK(facts.cpu_group.empty());
  CHECK(facts.psi.empty());
  CHECK(facts.psi_window == milliseconds(0));
  CHECK(facts.v2 ==
        V2Group{"/sys/fs/cgroup", true, false, false, {"cpu", "io", "memory", "pids"}, {}});

  CHECK(capabilities(facts) == Capabilities{CpuKnob::nice, 20, false});
  Verdicts expected{{"nice", Verdict::works},
                    {"autogroup", Verdict::no_effect},
                    {"cpu.weight", Verdict::not_permitted},
                    {"cpu.idle", Verdict::not_permitted},
                    {"ioprio", Verdict::works},
                    {"io.weight", Verdict::not_permitted},
                    {"memory.high", Verdict::not_permitted},
                    {"freeze", Verdict::not_permitted},
                    {"psi", Verdict::no_effect}};
  CHECK(verdicts(facts) == expected);

  Permissions all{
      0, -20, true, milliseconds(500), std::nullopt, [](const std::string&) { return true; }};
  const MachineFacts roots = read("psi-off-no-autogroup", all, paths);
  for (const char* name : {"cpu.weight", "cpu.idle", "io.weight", "memory.high"}) {
    expected[name] = Verdict::no_effect;  // until the controller is turned on below the root
  }
  expected["freeze"] = Verdict::works;
  CHECK(verdicts(roots) == expected);
  CHECK(capabilities(roots) == Capabilities{CpuKnob::nice, -20, true});
}

TEST_CASE("facts: where a manager gives scopes, its group counts, and what is around the jobs'") {
  const tests::TempFolder root;
  root.write("proc/self/mountinfo", "32 31 0:29 / /cg rw - cgroup2 cgroup2 rw\n");
  root.write("proc/self/cgroup", "0::/user.slice/u.slice/session-2.scope\n");
  const auto group = [&](const std::string& path, const std::string& weight, bool in_use = true) {
    root.write("cg/" + path + "/cgroup.events",
               in_use ? "populated 1\nfrozen 0\n" : "populated 0\n");
    root.write("cg/" + path + "/cpu.weight", weight + "\n");
    root.write("cg/" + path + "/cgroup.type", "domain\n");
  };
  group("system.slice", "100");
  group("init.scope", "100");
  group("user.slice", "90");
  group("user.slice/u.slice", "80");
  group("user.slice/u.slice/session-2.scope", "100");
  group("user.slice/u.slice/session-1.scope", "100", false);
  group("user.slice/u.slice/m.service", "70");
  group("user.slice/u.slice/m.service/app.slice", "200");
  group("user.slice/u.slice/m.service/lull.slice", "4");
  root.write("cg/user.slice/u.slice/m.service/cgroup.controllers", "cpu memory pids\n");

  Permissions permissions = user({});
  permissions.manager = "/user.slice/u.slice/m.service";
  const MachineFacts facts = read_machine_facts(root.path(), permissions);
  const std::string manager = "/cg/user.slice/u.slice/m.service";
  CHECK(facts.scopes);
  CHECK(facts.cpu_group == manager + "/lull.slice");
  const std::vector<std::string> controllers{"cpu", "memory", "pids"};
  CHECK(facts.v2 == V2Group{manager, false, true, false, controllers, controllers});
  CHECK(facts.places ==
        std::vector<Place>{
            {"app.slice",
             manager + "/app.slice",
             "m.service",
             "lull.slice",
             {4, false},
             {200, false}},
            {"session-2.scope",
             "/cg/user.slice/u.slice/session-2.scope",
             "u.slice",
             "m.service",
             {70, false},
             {100, false}},
            {"system.slice", "/cg/system.slice", "", "user.slice", {90, false}, {100, false}}});

  permissions.manager = "";  // root's: at the top
  const MachineFacts roots = read_machine_facts(root.path(), permissions);
  CHECK(roots.cpu_group == "/cg/lull.slice");
  REQUIRE(roots.places.size() == 2);
  CHECK(roots.places.front().jobs == "lull.slice");
  CHECK(roots.places.front().within.empty());
}

TEST_CASE("facts: no group is writable unless processes may be moved there") {
  const auto permissions = user({kService});
  CHECK_FALSE(read("nvme-lvm-crypt", permissions, {}).v2->writable);
}

TEST_CASE(
    "facts: a v1 group is ours if it can be made, or is there with a weight that we may set") {
  const tests::TempFolder root;
  root.write("proc/self/mountinfo", "32 31 0:29 / /cg rw - cgroup cgroup rw,cpu,cpuacct\n");
  root.write("proc/self/cgroup", "1:cpu,cpuacct:/\n");
  root.write("cg/release_agent", "");
  CHECK(read_machine_facts(root.path(), user({})).v1 == std::vector{V1Group{"cpu", "/cg"}});
  CHECK(read_machine_facts(root.path(), user({})).cpu_group.empty());
  CHECK(read_machine_facts(root.path(), user({"/cg"})).v1 ==
        std::vector{V1Group{"cpu", "/cg", true, true}});
  root.write("cg/lull/cpu.shares", "1024");
  CHECK(read_machine_facts(root.path(), user({"/cg", "/cg/lull"})).v1 ==
        std::vector{V1Group{"cpu", "/cg", false, true}});
  CHECK(read_machine_facts(root.path(), user({"/cg/lull", "/cg/lull/cpu.shares"})).v1 ==
        std::vector{V1Group{"cpu", "/cg", true, false}});

  root.write("proc/self/cgroup", "1:cpu,cpuacct:/box\n");
  CHECK(read_machine_facts(root.path(), user({})).cpu_group == "/cg/box");
}

TEST_CASE("facts: a machine that tells nothing is one where nothing works") {
  const MachineFacts facts = read_machine_facts("/nonexistent", user({}));
  CHECK(facts.kernel == KernelVersion{0, 0});
  CHECK_FALSE(facts.v2);
  CHECK(facts.v1.empty());
  CHECK(facts.psi.empty());
}

TEST_CASE("facts: io.cost is on if it is for any device") {
  CHECK(parse_iocost("254:0 enable=1 ctrl=auto rpct=95.00\n"));
  CHECK(parse_iocost("254:0 enable=0 ctrl=auto\n8:0 enable=1 ctrl=user\n"));
  CHECK_FALSE(parse_iocost("254:0 enable=0 ctrl=auto\n"));
  CHECK_FALSE(parse_iocost(""));
}
