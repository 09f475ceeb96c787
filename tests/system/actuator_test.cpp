#include "runner/os/actuator.hpp"

#include "jobs/decide.hpp"
#include "runner/os/freezer.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/sched.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace lull::tests {
namespace {

constexpr Level kStart{15, {IoClass::best_effort, 7}};
constexpr Level kBusy{19, {IoClass::idle, 0}};

/// A job that started at kStart, and what the loop is told of it.
struct Acted {
  JobSpec spec;
  std::unique_ptr<OneRun> run;
  supervisor::DrivenRun driven;

  explicit Acted(const std::vector<std::string>& arguments) : spec(probe_job(arguments)) {
    spec.priority.levels = {kStart, kStart, kBusy, kBusy, true};
    run = std::make_unique<OneRun>(spec);
    REQUIRE(run->wait_until_running());
    driven = run->driven();
    os::tell_keeper(driven.processes.keeper);  // or it would go on setting its autogroup
  }
  [[nodiscard]] os::Actuator actuator() const {
    return {driven.processes, driven.can, driven.level,
            nice_at_start(driven.priority.levels, driven.level, driven.can)};
  }
  [[nodiscard]] id_t id() const { return static_cast<id_t>(run->job()); }
};

std::string value_of(const Applied& applied, const std::string& knob) {
  const auto found = std::find_if(applied.begin(), applied.end(),
                                  [&](const auto& one) { return one.first == knob; });
  return found == applied.end() ? "" : found->second;
}

/// Every thread of the whole tree has it.
bool all_have(const os::RunProcesses& run, IoPriority io) {
  const auto tree = os::tree_of(run);
  return std::all_of(tree.begin(), tree.end(), [&](const os::ProcessStat& process) {
    const auto threads = os::threads_of(process.pid);
    return std::all_of(threads.begin(), threads.end(), [&](pid_t thread) {
      const auto has = os::get_io_priority(os::Whose::process, static_cast<id_t>(thread));
      return !has || *has == io;
    });
  });
}

TEST_CASE("actuator: I/O priority and autogroup go down and up again, for any user") {
  const Acted job({"stay"});
  os::Actuator actuator = job.actuator();
  for (const Level& level : {kBusy, kStart, kBusy, kStart}) {
    actuator.apply(level);
    CHECK(os::get_io_priority(os::Whose::process, job.id()).value() == level.io);
    if (!os::read_autogroup(job.run->job()).value()) continue;
    CHECK(eventually([&] {
      actuator.look_after_autogroups(os::tree_of(job.driven.processes));
      return os::read_autogroup(job.run->job()).value() == level.nice;
    }));
  }
}

TEST_CASE("actuator: where autogroups decide, nice 19 is SCHED_IDLE too, for all of the tree") {
  Acted job({"breed", "5"});
  REQUIRE(eventually([&] { return job.run->log().find("bred 5") != std::string::npos; }));
  job.driven.can.cpu = CpuKnob::autogroup;
  os::Actuator actuator = job.actuator();
  const auto all_are = [&](os::SchedPolicy policy) {
    const auto tree = os::tree_of(job.driven.processes);
    return std::all_of(tree.begin(), tree.end(), [&](const os::ProcessStat& process) {
      const auto threads = os::threads_of(process.pid);
      return std::all_of(threads.begin(), threads.end(), [&](pid_t thread) {
        return os::get_sched_policy(thread).value() == policy;
      });
    });
  };
  CHECK(value_of(actuator.apply(kStart), "policy").empty());
  CHECK(all_are(os::SchedPolicy::other));
  CHECK(value_of(actuator.apply(kBusy), "policy") == "idle");
  CHECK(all_are(os::SchedPolicy::idle));
  actuator.apply(kStart);
  const bool may_come_back = job.driven.can.may_renice(19, job.driven.level.nice);
  CHECK(all_are(may_come_back ? os::SchedPolicy::other : os::SchedPolicy::idle));
}

TEST_CASE("actuator: a scheduling policy that the job chose itself is left alone") {
  Acted job({"stay"});
  job.driven.can.cpu = CpuKnob::autogroup;
  os::Actuator actuator = job.actuator();
  REQUIRE(os::set_sched_policy(job.run->job(), os::SchedPolicy::idle).has_value());
  actuator.apply(kBusy);
  actuator.apply(kStart);
  CHECK(os::get_sched_policy(job.run->job()).value() == os::SchedPolicy::idle);
}

TEST_CASE("actuator: nothing is awaited of a run that somebody else has moved to another level") {
  const Acted job({"stay"});
  {
    os::Actuator before = job.actuator();
    REQUIRE(eventually([&] {
      before.apply(kBusy);
      return !before.awaits_autogroup();
    }));
  }
  os::Actuator next(job.driven.processes, job.driven.can, kStart, std::nullopt);
  CHECK_FALSE(next.awaits_autogroup());
  next.apply(kBusy);
  CHECK_FALSE(next.awaits_autogroup());
}

TEST_CASE("actuator: nice comes back where it may, and else stays and says so") {
  const Acted job({"stay"});
  os::Actuator actuator = job.actuator();
  const bool may = job.driven.can.may_renice(kBusy.nice, kStart.nice);
  const int started = os::get_nice(os::Whose::process, job.id()).value();
  CHECK(started == nice_at_start(job.spec.priority.levels, kStart, job.driven.can));
  const Applied busy = actuator.apply(kBusy);
  const Applied light = actuator.apply(kStart);
  const int now = os::get_nice(os::Whose::process, job.id()).value();
  CHECK(value_of(light, "nice") == std::to_string(now));
  if (may) {
    CHECK(value_of(busy, "nice") == "19");
    CHECK(now == kStart.nice);
  } else {
    CHECK(value_of(busy, "nice") == value_of(light, "nice"));
  }
}

TEST_CASE("actuator: reaches threads and processes that are born while it sets them") {
  const Acted job({"breed", "60"});
  os::Actuator actuator = job.actuator();
  actuator.apply(kBusy);
  CHECK(eventually([&] { return job.run->log().find("bred 60") != std::string::npos; }));
  CHECK(all_have(job.driven.processes, kBusy.io));
}

TEST_CASE("actuator: what somebody else set is left alone, and said") {
  const Acted job({"stay"});
  os::Actuator actuator = job.actuator();
  constexpr IoPriority kTheirs{IoClass::best_effort, 6};
  REQUIRE(os::set_io_priority(os::Whose::process, job.id(), kTheirs).has_value());
  REQUIRE(::setpriority(PRIO_PROCESS, job.id(), 17) == 0);
  const Applied applied = actuator.apply(kBusy);
  CHECK(os::get_io_priority(os::Whose::process, job.id()).value() == kTheirs);
  CHECK(os::get_nice(os::Whose::process, job.id()).value() == 17);
  CHECK(value_of(applied, "io.left") == "changed by somebody else");
  CHECK(value_of(applied, "nice.left") == "changed by somebody else");
}

TEST_CASE("actuator: what one process was given says nothing of the others") {
  const Acted job({"breed", "2"});
  REQUIRE(eventually([&] { return job.run->log().find("bred 2") != std::string::npos; }));
  os::Actuator actuator = job.actuator();
  const auto children = os::children_of(job.run->job());
  REQUIRE_FALSE(children.empty());
  const auto child = static_cast<id_t>(children.front());
  constexpr Level kTheirs{15, {IoClass::best_effort, 2}};
  REQUIRE(os::set_io_priority(os::Whose::process, child, kTheirs.io).has_value());
  for (const Level& level : {kBusy, kTheirs, kBusy}) {
    actuator.apply(level);
    CHECK(os::get_io_priority(os::Whose::process, job.id()).value() == level.io);
    CHECK(os::get_io_priority(os::Whose::process, child).value() == kTheirs.io);
  }
}

TEST_CASE("actuator: what the job gave itself before the loop saw it is its own") {
  const Acted job({"stay"});
  REQUIRE(os::set_io_priority(os::Whose::process, job.id(), kBusy.io).has_value());
  os::Actuator actuator = job.actuator();
  actuator.apply(kBusy);
  const Applied light = actuator.apply(kStart);
  CHECK(os::get_io_priority(os::Whose::process, job.id()).value() == kBusy.io);
  CHECK(value_of(light, "io.left") == "changed by somebody else");
}

TEST_CASE("actuator: a session that the job makes later gets the job's autogroup level") {
  if (!os::read_autogroup(::getpid()).value()) return;  // a kernel without autogroups
  const Acted job({"ignore-term"});
  os::Actuator actuator = job.actuator();
  CHECK(eventually([&] {
    actuator.look_after_autogroups(os::tree_of(job.driven.processes));
    const auto tree = os::tree_of(job.driven.processes);
    return tree.size() == 2 && std::all_of(tree.begin(), tree.end(), [](const auto& process) {
             return os::read_autogroup(process.pid).value() == kStart.nice;
           });
  }));
}

TEST_CASE("actuator: a cgroup's CPU weight follows the level, idle at nice 19") {
  const Acted job({"stay"});
  const std::string group = os::folder_with(job.driven.processes, "cpu.shares");
  if (group.empty()) return;  // this user has no group with a weight
  os::Actuator actuator = job.actuator();
  CHECK(slurp(group + "/cpu.shares") == "36\n");
  actuator.apply(kBusy);
  CHECK(slurp(group + "/cpu.idle") == "1\n");
  actuator.apply(kStart);
  CHECK(slurp(group + "/cpu.idle") == "0\n");
  CHECK(slurp(group + "/cpu.shares") == "36\n");
}

}  // namespace
}  // namespace lull::tests
