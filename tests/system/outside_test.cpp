// The promise seen from outside: what ps, ionice and /proc say of a running job is what its file
// asks for, for every nice value and I/O priority that this user may have.
#include "runner/os/machine.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/levels.hpp"
#include "tests/support/one_run.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>

using namespace lull;
using namespace lull::tests;
using nlohmann::json;

namespace {

/// "best-effort: prio 6", as ionice(1) words it.
std::string in_words_of_ionice(IoPriority io) {
  const std::string level = ": prio " + std::to_string(io.level);
  switch (io.io_class) {
    case IoClass::none:
      return "none: prio 0";
    case IoClass::realtime:
      return "realtime" + level;
    case IoClass::best_effort:
      return "best-effort" + level;
    case IoClass::idle:
      return "idle";
  }
  return "";
}

/// What a command prints, without the white space around it.
std::string printed(const std::vector<std::string>& argv) {
  const std::string out = Child(argv, {}).wait().out;
  const auto first = out.find_first_not_of(" \n");
  if (first == std::string::npos) return "";
  return out.substr(first, out.find_last_not_of(" \n") - first + 1);
}

std::string job_file(const Level& level) {
  return "command = [\"" + probe() +
         "\", \"stay\"]\n[priority]\nlight = { nice = " + std::to_string(level.nice) + ", io = \"" +
         to_string(level.io) + "\" }\n";
}

bool all_are_running(const Instance& instance) {
  const json jobs = instance.json({"status"});
  return std::all_of(jobs.begin(), jobs.end(),
                     [](const json& job) { return job["state"] == "running"; });
}

/// Each group that the history says the run is in is one that /proc/PID/cgroup names.
void check_cgroups(const json& applied, const std::string& pid) {
  const std::string groups = slurp("/proc/" + pid + "/cgroup");
  for (const auto& [knob, value] : applied.items()) {
    if (!knob.starts_with("cgroup") || knob.ends_with(".failed")) continue;
    const std::string folder = value;
    const std::size_t name = folder.find("/lull/");
    REQUIRE(name != std::string::npos);
    CHECK_THAT(groups, ContainsSubstring(folder.substr(name) + "\n"));
  }
}

void check_from_outside(const Level& level, const std::string& pid, const json& applied) {
  INFO("asked for " << to_string(level) << ", applied " << applied.dump());
  CHECK(printed({"ps", "-o", "ni=", "-p", pid}) == std::to_string(level.nice));
  CHECK(printed({"ionice", "-p", pid}) == in_words_of_ionice(level.io));
  CHECK(applied["nice"] == std::to_string(level.nice));
  CHECK(applied["io"] == to_string(level.io));
  check_cgroups(applied, pid);
  const std::string autogroup = "/proc/" + pid + "/autogroup";
  if (slurp(autogroup).empty()) return;  // a kernel without autogroups
  const std::string end = " nice " + std::to_string(level.nice) + "\n";
  CHECK(eventually([&] { return slurp(autogroup).ends_with(end); }));
}

}  // namespace

TEST_CASE("outside: ps, ionice and /proc agree with every job file while the jobs run") {
  Instance instance;
  std::map<std::string, Level> jobs;
  for (const Level& level : levels_we_may_have()) {
    const std::string name = "job-" + std::to_string(jobs.size());
    instance.job(name, job_file(level));
    jobs.emplace(name, level);
  }
  instance.start_daemon({"--stop-jobs"});
  for (const auto& [name, level] : jobs)
    REQUIRE(instance.lull({"start", name}).exit_code == 0);
  REQUIRE(eventually([&] { return all_are_running(instance); }));
  std::map<std::string, std::string> pids;
  for (const json& job : instance.json({"status"}))
    pids.emplace(job["job"], job["pid"].dump());
  for (const auto& [name, level] : jobs) {
    // Whoever got the answer of `start` finds the level recorded.
    const json levels = instance.history(name)[0]["levels"];
    REQUIRE_FALSE(levels.empty());
    check_from_outside(level, pids.at(name), levels.back()["applied"]);
  }
  CHECK(instance.end_daemon(SIGTERM) == 0);
}

TEST_CASE("outside: a priority that this user may not have is refused by check, with the remedy") {
  if (os::lowest_nice() == -20) return;  // nothing is refused to root: see the next test
  const Instance instance;
  instance.job("greedy", job_file({os::lowest_nice() - 1, {IoClass::realtime, 0}}));
  const Finished check = instance.lull({"check"});
  CHECK(check.exit_code == 2);
  CHECK_THAT(check.out, ContainsSubstring("greedy.toml:3:18: error: 'priority.light.nice'"));
  CHECK_THAT(check.out, ContainsSubstring("LimitNICE="));
  CHECK_THAT(check.out, ContainsSubstring("\"realtime:0\", which this instance may not set"));
}

TEST_CASE("outside: what the administrator's ceiling takes off is in the history") {
  if (::geteuid() != 0) return;  // a user's instance has no ceiling
  Instance instance;
  instance.settings("[ceiling]\nnice = 5\nio = \"best-effort:4\"\n");
  instance.job("greedy", job_file({-5, {IoClass::realtime, 0}}));
  instance.start_daemon({"--stop-jobs"});
  REQUIRE(instance.lull({"start", "greedy"}).exit_code == 0);
  REQUIRE(eventually([&] { return !instance.history("greedy")[0]["levels"].empty(); }));
  const json level = instance.history("greedy")[0]["levels"].back();
  CHECK(level["reason"] == "at start, held down by [ceiling] from nice -5, realtime:0");
  check_from_outside({5, {IoClass::best_effort, 4}}, instance.status("greedy")["pid"].dump(),
                     level["applied"]);
  CHECK(instance.end_daemon(SIGTERM) == 0);
}
