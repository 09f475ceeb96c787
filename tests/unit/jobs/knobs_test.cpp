#include "jobs/knobs.hpp"

#include "tests/support/catch.hpp"

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace {

using namespace lull;
using std::chrono::milliseconds;

/// A stock desktop: autogroups, no cpu controller around us, no rights, one disk.
MachineFacts desktop(const std::string& scheduler = "none") {
  MachineFacts facts;
  facts.kernel = {6, 1};
  facts.autogroup = Autogroup::on;
  facts.v2 = V2Group{"/sys/fs/cgroup", true, false, false, {"cpu", "io", "memory"}, {}};
  facts.psi = {"cpu", "io", "memory"};
  facts.psi_window = milliseconds(2000);
  facts.devices = {{.name = "sda",
                    .title = "",
                    .kind = DeviceKind::disk,
                    .scheduler = scheduler,
                    .available = {"none", "bfq", "mq-deadline"},
                    .honours = honours_of(scheduler, {6, 1}),
                    .below = {},
                    .paths = {"/"}}};
  return facts;
}

V2Group delegated(const std::vector<std::string>& enabled) {
  return {"/g", false, true, true, {"cpu", "io", "memory"}, enabled};
}

Knob knob(const MachineFacts& facts, const std::string& name) {
  for (const Knob& each : diagnose(facts)) {
    if (each.name == name) return each;
  }
  throw std::runtime_error("no knob " + name);
}

bool has_knob(const MachineFacts& facts, const std::string& name) {
  const auto knobs = diagnose(facts);
  return std::any_of(knobs.begin(), knobs.end(),
                     [&](const Knob& each) { return each.name == name; });
}

}  // namespace

TEST_CASE("knobs: what decides the CPU is the outermost thing that we may move") {
  struct Row {
    const char* what;
    Autogroup autogroup;
    std::string cpu_group;
    std::vector<V1Group> v1;
    std::optional<V2Group> v2;
    CpuKnob knob;
  };
  const V1Group ours{"cpu", "/c", true, true};
  const V1Group theirs{"cpu", "/c", false, false};
  const V2Group closed{"/g", false, false, false, {"cpu"}, {"cpu"}};
  const std::vector<Row> rows{
      {"stock desktop", Autogroup::on, "", {}, {}, CpuKnob::autogroup},
      {"Debian without systemd", Autogroup::off, "", {}, {}, CpuKnob::nice},
      {"kernel without autogroups", Autogroup::absent, "", {}, {}, CpuKnob::nice},
      {"systemd unit", Autogroup::on, "/a", {}, closed, CpuKnob::none},
      {"systemd unit, Debian", Autogroup::off, "/a", {}, closed, CpuKnob::none},
      {"v1, ours", Autogroup::on, "", {ours}, {}, CpuKnob::cgroup},
      {"v1, ours, in a group", Autogroup::on, "/c", {ours}, {}, CpuKnob::cgroup},
      {"v1, not ours", Autogroup::on, "", {theirs}, {}, CpuKnob::autogroup},
      {"v1, not ours, in a group", Autogroup::off, "/c", {theirs}, {}, CpuKnob::none},
      {"v1, another controller",
       Autogroup::off,
       "",
       {{"memory", "/m", true, true}},
       {},
       CpuKnob::nice},
      {"v2, delegated", Autogroup::on, "/g", {}, delegated({"cpu"}), CpuKnob::cgroup},
      {"v2, cpu off below us", Autogroup::on, "/g", {}, delegated({"io"}), CpuKnob::none},
      {"v2, no cpu at all", Autogroup::on, "", {}, delegated({}), CpuKnob::autogroup},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    MachineFacts facts = desktop();
    facts.autogroup = row.autogroup;
    facts.cpu_group = row.cpu_group;
    facts.v1 = row.v1;
    facts.v2 = row.v2;
    CHECK(capabilities(facts).cpu == row.knob);
  }
}

TEST_CASE("knobs: a nice value is given back only as far as the limit goes") {
  MachineFacts facts = desktop();
  CHECK_FALSE(capabilities(facts).may_renice(19, 18));
  CHECK(capabilities(facts).may_renice(5, 19));
  facts.returnable_nice = 5;
  CHECK(capabilities(facts).may_renice(19, 5));
  CHECK_FALSE(capabilities(facts).may_renice(19, 4));
}

TEST_CASE("knobs: a group freezes wherever we may make one") {
  MachineFacts facts = desktop();
  CHECK_FALSE(capabilities(facts).freeze_by_cgroup);
  CHECK(knob(facts, "freeze").verdict == Verdict::not_permitted);
  facts.v1 = {{"freezer", "/f", true, true}};
  CHECK(capabilities(facts).freeze_by_cgroup);
  CHECK(knob(facts, "freeze").verdict == Verdict::works);
  facts.v1.clear();
  facts.v2 = delegated({});
  CHECK(capabilities(facts).freeze_by_cgroup);
  CHECK(knob(facts, "freeze").verdict == Verdict::works);
  facts.v2.reset();
  CHECK_FALSE(capabilities(facts).freeze_by_cgroup);
  CHECK(knob(facts, "freeze").verdict == Verdict::no_effect);
}

TEST_CASE("knobs: nice does nothing across autogroups and cgroups, and says in which direction") {
  MachineFacts facts = desktop();
  CHECK(knob(facts, "nice").verdict == Verdict::no_effect);
  CHECK_THAT(knob(facts, "nice").why, ContainsSubstring("autogroup"));
  CHECK_THAT(knob(facts, "nice").why, ContainsSubstring("not lowered back: RLIMIT_NICE is 0"));
  facts.autogroup = Autogroup::off;
  CHECK(knob(facts, "nice").verdict == Verdict::works);
  CHECK_THAT(knob(facts, "nice").fix, ContainsSubstring("LimitNICE="));
  facts.returnable_nice = 0;
  CHECK_THAT(knob(facts, "nice").why, ContainsSubstring("back to 0: RLIMIT_NICE is 20"));
  CHECK(knob(facts, "nice").fix.empty());
  facts.returnable_nice = -20;
  CHECK_THAT(knob(facts, "nice").why, ContainsSubstring("both ways"));
  facts.cpu_group = "/user.slice";
  CHECK(knob(facts, "nice").verdict == Verdict::no_effect);
  CHECK_THAT(knob(facts, "nice").why, ContainsSubstring("/user.slice"));
}

TEST_CASE("knobs: autogroup works only if on, and outside of every cpu group") {
  MachineFacts facts = desktop();
  CHECK(knob(facts, "autogroup").verdict == Verdict::works);
  facts.cpu_group = "/a";
  CHECK(knob(facts, "autogroup").verdict == Verdict::no_effect);
  CHECK_THAT(knob(facts, "autogroup").why, ContainsSubstring("/a"));
  facts.cpu_group.clear();
  facts.autogroup = Autogroup::off;
  CHECK(knob(facts, "autogroup").verdict == Verdict::no_effect);
  CHECK(knob(facts, "autogroup").fix == "sysctl kernel.sched_autogroup_enabled=1");
  facts.autogroup = Autogroup::absent;
  CHECK(knob(facts, "autogroup").verdict == Verdict::no_effect);
  CHECK(knob(facts, "autogroup").fix.empty());
}

TEST_CASE("knobs: a control file of cgroup v2 needs mount, controller, right and subtree") {
  struct Row {
    std::optional<V2Group> v2;
    std::vector<V1Group> v1;
    Verdict verdict;
    const char* why;
    const char* fix;
  };
  const V1Group v1{"cpu", "/c", true, true};
  const std::vector<Row> rows{
      {{}, {}, Verdict::no_effect, "not mounted", "mount -t cgroup2"},
      {V2Group{"/g", true, true, true, {}, {}}, {}, Verdict::no_effect, "no controller cpu", ""},
      {V2Group{"/g", true, true, true, {}, {}},
       {v1},
       Verdict::no_effect,
       "v1, at /c",
       "cgroup_no_v1"},
      {V2Group{"/g", false, true, true, {"io"}, {}},
       {},
       Verdict::not_permitted,
       "not delegated",
       "Delegate=cpu"},
      {V2Group{"/g", false, false, false, {"cpu"}, {"cpu"}},
       {},
       Verdict::not_permitted,
       "no group may",
       "Delegate=yes"},
      {V2Group{"/g", true, true, true, {"cpu"}, {}},
       {},
       Verdict::no_effect,
       "not turned on below /g",
       "echo +cpu > /g/cgroup.subtree_control"},
      {V2Group{"/g", false, true, true, {"cpu"}, {}},
       {},
       Verdict::no_effect,
       "while processes are in",
       "move its processes"},
      {V2Group{"/g", false, true, true, {"cpu"}, {"cpu"}}, {}, Verdict::works, "/g", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.why);
    MachineFacts facts = desktop();
    facts.v2 = row.v2;
    facts.v1 = row.v1;
    const Knob weight = knob(facts, "cpu.weight");
    CHECK(weight.verdict == row.verdict);
    CHECK_THAT(weight.why, ContainsSubstring(row.why));
    CHECK_THAT(weight.fix, ContainsSubstring(row.fix));
    CHECK(knob(facts, "cpu.idle").verdict == row.verdict);
  }
}

TEST_CASE("knobs: cpu.idle came with Linux 5.15") {
  MachineFacts facts = desktop();
  facts.v2 = delegated({"cpu"});
  facts.v1 = {{"cpu", "/c", true, true}};
  facts.kernel = {5, 14};
  CHECK(knob(facts, "cpu.idle").verdict == Verdict::no_effect);
  CHECK(knob(facts, "cpu.idle (v1)").verdict == Verdict::no_effect);
  CHECK(knob(facts, "cpu.weight").verdict == Verdict::works);
}

TEST_CASE("knobs: the v1 files are named where v1 is mounted, and only there") {
  MachineFacts facts = desktop("bfq");
  CHECK_FALSE(has_knob(facts, "cpu.shares (v1)"));
  facts.v1 = {
      {"cpu", "/c", false, false}, {"blkio", "/b", true, true}, {"memory", "/m", true, true}};
  CHECK(knob(facts, "cpu.shares (v1)").verdict == Verdict::not_permitted);
  CHECK_THAT(knob(facts, "cpu.shares (v1)").fix, ContainsSubstring("/c/lull"));
  CHECK(knob(facts, "blkio.bfq.weight (v1)").verdict == Verdict::works);
  CHECK(knob(facts, "memory.soft_limit_in_bytes (v1)").verdict == Verdict::works);
  CHECK_FALSE(has_knob(facts, "freezer.state (v1)"));
}

TEST_CASE("knobs: ioprio is what the disks' schedulers make of it") {
  CHECK(knob(desktop("none"), "ioprio").verdict == Verdict::no_effect);
  CHECK_THAT(knob(desktop("none"), "ioprio").fix,
             ContainsSubstring("echo bfq > /sys/block/sda/queue/scheduler"));
  CHECK(knob(desktop("mq-deadline"), "ioprio").verdict == Verdict::works);
  CHECK_THAT(knob(desktop("mq-deadline"), "ioprio").why, ContainsSubstring("honours classes"));
  CHECK(knob(desktop("bfq"), "ioprio").fix.empty());
  MachineFacts facts = desktop("bfq");
  CHECK_THAT(knob(facts, "ioprio").why, ContainsSubstring("realtime not permitted"));
  facts.devices.push_back({.name = "dm-0",
                           .title = "c",
                           .kind = DeviceKind::crypt,
                           .scheduler = "none",
                           .available = {},
                           .honours = Honours::classes_and_levels,
                           .below = {"sda"},
                           .paths = {"/"}});
  CHECK_THAT(knob(facts, "ioprio").why, ContainsSubstring("reads only"));
  facts.devices.clear();
  CHECK(knob(facts, "ioprio").verdict == Verdict::no_effect);
}

TEST_CASE("knobs: an I/O weight needs bfq or, in v2, io.cost") {
  MachineFacts facts = desktop("none");
  facts.v2 = delegated({"io"});
  facts.v1 = {{"blkio", "/b", true, true}};
  CHECK(knob(facts, "io.weight").verdict == Verdict::no_effect);
  CHECK(knob(facts, "blkio.bfq.weight (v1)").verdict == Verdict::no_effect);
  facts.iocost = true;
  CHECK(knob(facts, "io.weight").verdict == Verdict::works);
  CHECK(knob(facts, "blkio.bfq.weight (v1)").verdict == Verdict::no_effect);
}

TEST_CASE("knobs: psi says which files and windows there are") {
  MachineFacts facts = desktop();
  CHECK_THAT(knob(facts, "psi").why, ContainsSubstring("cpu, io and memory"));
  CHECK_THAT(knob(facts, "psi").why, ContainsSubstring("2000 ms (shorter ones need"));
  facts.psi_window = milliseconds(500);
  CHECK_THAT(knob(facts, "psi").why, ContainsSubstring("500 ms"));
  facts.psi.clear();
  CHECK(knob(facts, "psi").verdict == Verdict::no_effect);
  CHECK_THAT(knob(facts, "psi").fix, ContainsSubstring("psi=1"));
}

TEST_CASE("knobs: no fix is offered for what works both ways, and every other row says why") {
  MachineFacts facts = desktop("bfq");
  facts.returnable_nice = -20;
  for (const Knob& each : diagnose(facts)) {
    CAPTURE(each.name);
    CHECK_FALSE(each.why.empty());
    CHECK(each.measured.empty());
    if (each.verdict == Verdict::works) CHECK(each.fix.empty());
  }
}

TEST_CASE("knobs: beside a place what counts is the jobs' branch, and a remedy is one for it") {
  MachineFacts facts;
  facts.places = {
      {"app.slice", "/m/app.slice", "user@1.service", "lull.slice", {100, false}, {}},
      {"session-2.scope", "/u/session-2.scope", "user-1.slice", "user@1.service", {}, {}},
      {"user-2.slice", "/s/user-2.slice", "user.slice", "user-1.slice", {}, {}},
      {"system.slice", "/system.slice", "", "user.slice", {5, false}, {}},
      {"machine.slice", "/machine.slice", "", "user.slice", {100, true}, {}}};
  const auto knobs = diagnose_places(facts);
  const auto verdict = [&](std::size_t i) { return knobs.at(i).verdict; };
  CHECK(verdict(0) == Verdict::works);  // whatever it weighs now, it is lull's to set
  CHECK(verdict(1) == Verdict::no_effect);
  CHECK_THAT(knobs.at(1).fix, ContainsSubstring("systemctl set-property user@1.service"));
  CHECK_THAT(knobs.at(1).why, ContainsSubstring("in user-1.slice and weighs 100"));
  CHECK(verdict(2) == Verdict::no_effect);
  CHECK_THAT(knobs.at(2).fix, ContainsSubstring("root's lull"));
  CHECK(verdict(3) == Verdict::works);
  CHECK(verdict(4) == Verdict::works);
}

TEST_CASE("knobs: what the manager was not given, it is to be delegated") {
  MachineFacts facts = desktop("bfq");
  facts.v2 = V2Group{"/u/user@1.service", false, true, false, {"cpu", "memory"}, {"cpu", "memory"}};
  facts.scopes = true;
  CHECK(capabilities(facts) == Capabilities{CpuKnob::cgroup, 20, true});
  CHECK(knob(facts, "memory.high").verdict == Verdict::works);
  CHECK(knob(facts, "io.weight").verdict == Verdict::not_permitted);
  CHECK_THAT(knob(facts, "io.weight").fix, ContainsSubstring("Delegate=cpu io memory pids"));
}

TEST_CASE("knobs: only what can be told is tried") {
  const auto names = [](const MachineFacts& facts) {
    std::vector<std::string> all;
    for (const Trial& trial : trials(facts))
      all.push_back(trial.knob);
    return all;
  };
  using Names = std::vector<std::string>;
  MachineFacts facts = desktop();
  CHECK(names(facts) == Names{"nice", "autogroup"});
  facts.cpu_group = "/a";  // there nice would rank our own two spinners
  CHECK(names(facts) == Names{"autogroup"});
  facts.autogroup = Autogroup::absent;
  CHECK(names(facts).empty());
  facts.v2 = delegated({"cpu"});
  CHECK(names(facts) == Names{"cpu.weight", "cpu.idle", "freeze"});
  facts.v2.reset();
  facts.v1 = {
      {"cpu", "/c", true, true}, {"freezer", "/f", true, true}, {"memory", "/m", true, true}};
  CHECK(names(facts) == Names{"cpu.shares (v1)", "cpu.idle (v1)", "freezer.state (v1)"});
  facts.v1[0].open = false;  // lull's own group may hold jobs just now
  CHECK(names(facts) == Names{"freezer.state (v1)"});
  facts.v1[0].open = true;
  facts.kernel = {5, 14};
  CHECK(names(facts) == Names{"cpu.shares (v1)", "freezer.state (v1)"});
  facts.own_nice = 19;
  CHECK(names(facts).empty());
}

TEST_CASE("knobs: every trial is of a knob that is there") {
  MachineFacts facts = desktop();
  facts.v2 = delegated({"cpu"});
  facts.v1 = {{"cpu", "/c", true, true}, {"freezer", "/f", true, true}};
  for (const Trial& trial : trials(facts))
    CHECK(has_knob(facts, trial.knob));
}

TEST_CASE("knobs: what was measured is right") {
  struct Row {
    Verdict before;
    milliseconds held_back;
    milliseconds plain;
    Verdict after;
    const char* measured;
    const char* why;
  };
  const auto row = GENERATE(
      Row{Verdict::works, milliseconds(4), milliseconds(196), Verdict::works, "2 %", "because"},
      Row{Verdict::works, milliseconds(101), milliseconds(99), Verdict::no_effect, "51 %",
          "measured to do nothing, though it should not be so: because"},
      Row{Verdict::no_effect, milliseconds(0), milliseconds(200), Verdict::works, "0 %",
          "measured to work, though it should not be so: because"},
      Row{Verdict::no_effect, milliseconds(95), milliseconds(105), Verdict::no_effect, "48 %",
          "because"},
      Row{Verdict::works, milliseconds(60), milliseconds(140), Verdict::works, "30 %", "because"},
      Row{Verdict::works, milliseconds(10), milliseconds(9), Verdict::works, "not to be told",
          "because"},
      Row{Verdict::works, milliseconds(0), milliseconds(0), Verdict::works, "not to be told",
          "because"});
  Knob tried{"x", row.before, "because", "", ""};
  confirm(tried, {row.held_back, row.plain});
  CHECK(tried.verdict == row.after);
  CHECK(tried.why == row.why);
  CHECK_THAT(tried.measured, ContainsSubstring(row.measured));
}

TEST_CASE("knobs: what the kernel refuses does not work, whatever should be so") {
  struct Row {
    Verdict before;
    int code;
    Verdict after;
  };
  const auto row = GENERATE(Row{Verdict::works, EACCES, Verdict::not_permitted},
                            Row{Verdict::works, EROFS, Verdict::not_permitted},
                            Row{Verdict::works, ENOENT, Verdict::no_effect},
                            Row{Verdict::works, EAGAIN, Verdict::works},
                            Row{Verdict::no_effect, EPERM, Verdict::no_effect});
  Knob tried{"x", row.before, "because", "", ""};
  refute(tried, Error(row.code, "write 1 to /g: no"));
  CHECK(tried.verdict == row.after);
  CHECK_THAT(tried.why, ContainsSubstring("because"));
  CHECK(tried.measured == "could not be tried: write 1 to /g: no");
}
