#include "runner/os/freezer.hpp"

#include "runner/keeper/plan.hpp"
#include "runner/os/machine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <vector>

namespace lull::tests {
namespace {

/// A run of the probe, and each way to freeze it that this user has here.
struct Frozen {
  OneRun run{probe_job({"spin", "2"})};

  Frozen() { REQUIRE(run.wait_until_running()); }
  [[nodiscard]] os::RunProcesses processes() const { return run.driven().processes; }

  /// Each cgroup alone, then none: v2, v1 and signals, as far as there are such.
  [[nodiscard]] std::vector<os::RunProcesses> ways() const {
    std::vector<os::RunProcesses> all;
    const os::RunProcesses whole = processes();
    for (const char* file : {"cgroup.freeze", "freezer.state"}) {
      os::RunProcesses one = whole;
      one.cgroups = {os::folder_with(whole, file)};
      if (!one.cgroups.front().empty()) all.push_back(one);
    }
    os::RunProcesses none = whole;
    none.cgroups.clear();
    all.push_back(none);
    return all;
  }
};

std::string cpu_of(pid_t pid) {
  const std::string text = slurp("/proc/" + std::to_string(pid) + "/schedstat");
  return text.empty() ? slurp("/proc/" + std::to_string(pid) + "/stat") : text;
}

/// Whether a process gets CPU time.
bool moves(pid_t pid) {
  const std::string before = cpu_of(pid);
  return eventually([&] { return cpu_of(pid) != before; });
}

bool stands_still(pid_t pid) {
  const std::string before = cpu_of(pid);
  ::usleep(100'000);  // a spinner that was not frozen would have run in this time
  return cpu_of(pid) == before;
}

/// A process that drives the run and has it frozen.
pid_t fork_driver(const os::RunProcesses& way) {
  const pid_t driver = ::fork();
  if (driver != 0) return driver;
  os::Freezer freezer(way, false);
  os::tell_keeper(way.keeper);
  freezer.freeze();
  for (;;)
    ::pause();
}

TEST_CASE("freezer: freezes and thaws a job in every way that there is") {
  const Frozen job;
  for (const os::RunProcesses& way : job.ways()) {
    os::Freezer freezer(way, false);
    INFO(freezer.knob());
    freezer.freeze();
    REQUIRE(eventually([&] { return freezer.is_frozen(); }));
    CHECK(stands_still(job.run.job()));
    freezer.thaw();
    CHECK(moves(job.run.job()));
    CHECK_FALSE(freezer.is_frozen());
  }
}

TEST_CASE("freezer: pause = \"stop\" uses signals though there is a group") {
  const Frozen job;
  os::Freezer freezer(job.processes(), true);
  CHECK(freezer.way() == os::Freezer::Way::signals);
}

TEST_CASE("freezer: a group that somebody emptied freezes nothing, so signals do") {
  const Frozen job;
  const std::string group = os::folder_with(job.processes(), "cgroup.freeze");
  if (group.empty()) return;  // this user has no group to be moved out of
  os::Freezer freezer(job.processes(), false);
  REQUIRE(freezer.way() == os::Freezer::Way::v2);
  move_out_of(group, job.run.job());
  freezer.freeze();
  REQUIRE(eventually([&] { return freezer.is_frozen(); }));
  CHECK(stands_still(job.run.job()));
  freezer.thaw();
  CHECK(moves(job.run.job()));
}

TEST_CASE("freezer: what is outside of the run's group is stopped with it, and goes on with it") {
  const Frozen job;
  os::RunProcesses way = job.processes();
  // As good as outside: a group that it is not in, though somebody else is.
  OneRun other(probe_job({"stay"}));
  REQUIRE(other.wait_until_running());
  const std::string group = os::folder_with(other.driven().processes, "cgroup.freeze");
  if (group.empty()) return;  // this user has no group to be outside of
  way.cgroups = {group};
  os::Freezer freezer(way, false);
  REQUIRE(freezer.way() == os::Freezer::Way::v2);
  freezer.freeze({job.run.job()});
  CHECK(eventually([&] { return stands_still(job.run.job()); }));
  freezer.thaw();
  CHECK(moves(job.run.job()));
}

TEST_CASE("freezer: what it stopped goes on although its keeper is gone") {
  OneRun run(probe_job({"breed", "1"}));
  REQUIRE(run.wait_until_running());
  REQUIRE(eventually([&] { return run.log().find("bred 1") != std::string::npos; }));
  os::RunProcesses processes = run.driven().processes;
  processes.cgroups.clear();
  const pid_t child = os::children_of(run.job()).front();
  const auto is_stopped = [&] {
    const auto stat = os::read_process_stat(child);
    return stat && stat->state == 'T';
  };
  os::Freezer freezer(processes, false);
  freezer.freeze();
  REQUIRE(eventually([&] { return is_stopped(); }));
  ::kill(processes.keeper.pid, SIGKILL);
  REQUIRE(eventually([&] { return !is_alive(run.job()); }));  // the main process goes with it
  freezer.thaw();
  CHECK(eventually([&] { return !is_stopped(); }));
  ::kill(child, SIGKILL);
}

TEST_CASE("keeper: a frozen job hears a signal whoever froze it") {
  for (std::size_t i = 0;; ++i) {
    Frozen job;
    const auto ways = job.ways();
    if (i == ways.size()) return;
    const pid_t driver = fork_driver(ways[i]);
    os::Freezer watched(ways[i], false);
    INFO(watched.knob());
    REQUIRE(eventually([&] { return watched.is_frozen(); }));
    ::kill(driver, SIGSTOP);  // it will not thaw anything
    job.run.signal_keeper(SIGINT);
    const auto ended = job.run.wait();
    ::kill(driver, SIGKILL);
    ::waitpid(driver, nullptr, 0);
    REQUIRE(ended);
    CHECK(ended->ending.signal == SIGINT);
  }
}

TEST_CASE("keeper: thaws its job when whoever froze it is killed") {
  const Frozen job;
  for (const os::RunProcesses& way : job.ways()) {
    const pid_t driver = fork_driver(way);
    os::Freezer watched(way, false);
    INFO(watched.knob());
    REQUIRE(eventually([&] { return watched.is_frozen(); }));
    CHECK(stands_still(job.run.job()));
    ::kill(driver, SIGKILL);
    ::waitpid(driver, nullptr, 0);
    CHECK(moves(job.run.job()));
  }
}

TEST_CASE("keeper: leaves its job frozen whose next driver came as the last one ended") {
  const Frozen job;
  const os::RunProcesses way = job.ways().front();
  os::Freezer watched(way, false);
  // Where signals freeze, the SIGCONT below would thaw: a keeper passes it on.
  if (watched.way() == os::Freezer::Way::signals) return;
  const pid_t first = fork_driver(way);
  REQUIRE(eventually([&] { return watched.is_frozen(); }));
  // Stopped, the keeper learns both at once, or that the first has ended with what its poll had
  // returned just before it stopped.
  ::kill(way.keeper.pid, SIGSTOP);
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  const pid_t second = fork_driver(way);
  REQUIRE(eventually([&] { return has_pending(way.keeper.pid, keeper::kDriverSignal); }));
  ::kill(way.keeper.pid, SIGCONT);
  REQUIRE(eventually([&] { return !has_pending(way.keeper.pid, SIGCONT); }));
  CHECK(eventually([&] { return stands_still(job.run.job()); }));
  CHECK(watched.is_frozen());
  ::kill(second, SIGKILL);
  ::waitpid(second, nullptr, 0);
  CHECK(moves(job.run.job()));
}

TEST_CASE("freezer: an emptied v1 group freezes nothing either") {
  const Frozen job;
  os::RunProcesses way = job.processes();
  const std::string group = os::folder_with(way, "freezer.state");
  if (group.empty()) return;  // this user has no such group
  way.cgroups = {group};
  os::Freezer freezer(way, false);
  REQUIRE(freezer.way() == os::Freezer::Way::v1);
  move_out_of(group, job.run.job());
  freezer.freeze();
  REQUIRE(eventually([&] { return freezer.is_frozen(); }));
  CHECK(freezer.way() == os::Freezer::Way::signals);
  CHECK(stands_still(job.run.job()));
  freezer.thaw();
  CHECK(moves(job.run.job()));
}

TEST_CASE("keeper: a frozen job that is to be stopped hears of it and ends") {
  for (std::size_t i = 0;; ++i) {
    Frozen job;
    const auto ways = job.ways();
    if (i == ways.size()) return;
    os::Freezer freezer(ways[i], false);
    INFO(freezer.knob());
    freezer.freeze();
    REQUIRE(eventually([&] { return freezer.is_frozen(); }));
    job.run.signal_keeper(SIGTERM);
    const auto ended = job.run.wait();
    REQUIRE(ended);
    CHECK(ended->ending.outcome == Outcome::stopped);
    CHECK(ended->ending.signal == SIGTERM);  // and not SIGKILL: it was thawed in time
  }
}

TEST_CASE("freezer: a tree that goes on forking is frozen whole by signals") {
  OneRun run(probe_job({"breed", "40"}));
  REQUIRE(run.wait_until_running());
  os::RunProcesses processes = run.driven().processes;
  processes.cgroups.clear();
  os::Freezer freezer(processes, false);
  CHECK(eventually([&] {
    freezer.freeze();
    return freezer.is_frozen();
  }));
  freezer.thaw();
  CHECK(eventually([&] { return run.log().find("bred 40") != std::string::npos; }));
}

}  // namespace
}  // namespace lull::tests
