// What a job finds itself to be at its first instruction, and what others see of it.
#include "jobs/decide.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/keeper_plan.hpp"
#include "runner/os/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/levels.hpp"
#include "tests/support/one_run.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

using namespace lull;
using namespace lull::tests;

namespace {

std::string one(const std::multimap<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

JobSpec job_at(Level level, const std::vector<std::string>& arguments) {
  JobSpec spec = probe_job(arguments);
  spec.priority.levels.light = level;
  return spec;
}

}  // namespace

TEST_CASE("priority: the first instruction of a job runs at every level that it may have") {
  for (const Level& level : levels_we_may_have()) {
    INFO(to_string(level));
    OneRun run(job_at(level, {"self"}));
    const auto ended = run.wait();
    REQUIRE(ended);
    CHECK(ended->ending.outcome == Outcome::success);
    const auto self = parse_output(run.log());
    CHECK(one(self, "nice") == std::to_string(level.nice));
    CHECK(one(self, "ioprio") == std::to_string(os::raw_io_priority(level.io)));
    CHECK(one(self, "policy") == std::to_string(SCHED_OTHER));
  }
}

TEST_CASE("priority: others see the same from outside while the job runs") {
  const Level level{7, {IoClass::best_effort, 6}};
  OneRun run(job_at(level, {"stay"}));
  REQUIRE(run.wait_until_running());
  CHECK(os::read_process_stat(run.job())->nice == 7);
  CHECK(::syscall(SYS_ioprio_get, 1, run.job()) == os::raw_io_priority(level.io));
  CHECK(::sched_getscheduler(run.job()) == SCHED_OTHER);
  const Applied applied = describe_applied(run.launched(), run.reports());
  REQUIRE(applied.size() >= 2);
  CHECK(applied[0] == std::pair<std::string, std::string>("nice", "7"));
  CHECK(applied[1] == std::pair<std::string, std::string>("io", "best-effort:6"));
}

TEST_CASE("priority: the job leads a session of its own, and its autogroup has its nice value") {
  OneRun run(job_at({9, {IoClass::idle, 0}}, {"stay"}));
  REQUIRE(run.wait_until_running());
  const auto job = os::read_process_stat(run.job()).value();
  const auto keeper = os::read_process_stat(run.keeper()).value();
  CHECK(job.session == run.job());
  CHECK(job.group == run.job());
  CHECK(keeper.session == run.keeper());
  const auto autogroup = os::read_autogroup(run.job()).value();
  if (!autogroup) return;  // a kernel without autogroups
  const Applied applied = describe_applied(run.launched(), run.reports());
  const bool refused = std::any_of(applied.begin(), applied.end(), [](const auto& knob) {
    return knob.first == "autogroup.failed";
  });
  // Without privilege the kernel takes one write in 100 ms on the whole machine: see below.
  CHECK((refused || *autogroup == 9));
  CHECK(os::read_autogroup(run.keeper()).value() == 0);
}

TEST_CASE("priority: the job is in its cgroups and the keeper is not") {
  OneRun run(job_at({15, {IoClass::idle, 0}}, {"stay"}));
  REQUIRE(run.wait_until_running());
  const std::string job = slurp("/proc/" + std::to_string(run.job()) + "/cgroup");
  const std::string keeper = slurp("/proc/" + std::to_string(run.keeper()) + "/cgroup");
  const std::string name = run.launched().cgroup_name + "." + std::to_string(run.keeper());
  std::size_t found = 0;
  for (std::size_t at = 0; (at = job.find("/lull/" + name + "\n", at)) != std::string::npos; ++at) {
    ++found;
  }
  CHECK(found == run.launched().plan.cgroups.size());
  CHECK(keeper.find(name) == std::string::npos);
  for (const CgroupPlacement& group : run.launched().plan.cgroups) {
    const std::string folder = group.parent + "/" + name + "/";
    for (const auto& [file, value] : group.settings) {
      std::string path = folder;
      CHECK(slurp(path.append(file)) == std::string(value).append("\n"));
    }
  }
}

TEST_CASE("priority: a run that is never adapted shares no CPU weight with those that are") {
  const auto has_shared_weight = [](const JobSpec& spec) {
    OneRun run(spec);
    REQUIRE(run.wait_until_running());
    const std::string name = run.launched().cgroup_name + "." + std::to_string(run.keeper());
    const auto groups = os::groups_called(name, run.job());
    return std::any_of(groups.begin(), groups.end(), [](const std::string& group) {
      return group.find("/lull/") != std::string::npos &&
             (::access((group + "/cpu.shares").c_str(), F_OK) == 0 ||
              ::access((group + "/cpu.weight").c_str(), F_OK) == 0);
    });
  };
  CHECK_FALSE(has_shared_weight(probe_job({"stay"})));
  JobSpec adapted = probe_job({"stay"});
  adapted.priority.levels = levels_of(Policy::throttle);
  const auto mine = os::CgroupParents::make().placements({}, true, std::nullopt);
  const bool has_cpu = std::any_of(mine.begin(), mine.end(), [](const CgroupPlacement& one) {
    return !one.settings.empty() && one.settings.front().first.starts_with("cpu.");
  });
  CHECK(has_shared_weight(adapted) == has_cpu);
}

TEST_CASE("job: inherits /dev/null and its log, no other descriptor, no signal setting") {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library may do
  std::signal(SIGUSR1, SIG_IGN);
  OneRun run(probe_job({"self"}));
  std::signal(SIGUSR1, SIG_DFL);
  ::close(leaked);
  REQUIRE(run.wait());
  const auto self = parse_output(run.log());
  std::vector<std::string> fds;
  const auto [begin, end] = self.equal_range("fd");
  for (auto it = begin; it != end; ++it)
    fds.push_back(it->second.substr(0, it->second.find(':')));
  CHECK(fds == std::vector<std::string>{"0 /dev/null", "1 pipe", "2 pipe"});
  CHECK(one(self, "SigBlk") == "0000000000000000");
  CHECK(one(self, "SigIgn") == "0000000000000000");
  CHECK(one(self, "pdeathsig") == std::to_string(SIGKILL));
  CHECK(one(self, "ppid") == std::to_string(run.keeper()));
}

TEST_CASE("job: gets the descriptor limit that lull was started with, not lull's own") {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit low = before;
  low.rlim_cur = std::min<rlim_t>(before.rlim_max, 300);
  ::setrlimit(RLIMIT_NOFILE, &low);
  OneRun run(probe_job({"self"}));
  rlimit raised{};
  ::getrlimit(RLIMIT_NOFILE, &raised);
  ::setrlimit(RLIMIT_NOFILE, &before);
  REQUIRE(run.wait());
  CHECK(one(parse_output(run.log()), "nofile") == std::to_string(low.rlim_cur));
  CHECK(raised.rlim_cur == raised.rlim_max);
}

TEST_CASE("job: has a clean environment, its own keys and those of its run") {
  ::setenv("LULL_TEST_SECRET", "not for jobs", 1);
  ::setenv("LULL_TEST_PASSED", "for this one", 1);
  JobSpec spec = probe_job({"self"});
  spec.environment = {{"OWN", "a b"}};
  spec.pass_environment = {"LULL_TEST_PASSED"};
  OneRun run(spec);
  ::unsetenv("LULL_TEST_SECRET");
  ::unsetenv("LULL_TEST_PASSED");
  REQUIRE(run.wait());
  const std::string log = run.log();
  CHECK_THAT(log, ContainsSubstring("env OWN=a b\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_TEST_PASSED=for this one\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_JOB=probe\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_RUN=1\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_TRIGGER=schedule\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_ATTEMPT=1\n"));
  CHECK_THAT(log, ContainsSubstring("env LULL_SLOT=20"));
  CHECK_THAT(log, ContainsSubstring("env HOME="));
  CHECK(log.find("LULL_TEST_SECRET") == std::string::npos);
}

TEST_CASE("job: environment_file is read, and lull keeps no trace of any of it") {
  const TempFolder files;
  JobSpec spec = probe_job({"self"});
  spec.environment_file = files.write("env", "# secrets\nexport TOKEN='s3cret value'\n");
  OneRun run(spec);
  REQUIRE(run.wait());
  CHECK_THAT(run.log(), ContainsSubstring("env TOKEN=s3cret value\n"));
  CHECK(slurp(run.run_file()).find("s3cret") == std::string::npos);
}

TEST_CASE("job: as root, `user` gives it that user's ids and groups, and else it cannot start") {
  JobSpec spec = probe_job({"self"});
  spec.user = "nobody";
  spec.directory = "/";
  OneRun run(spec);
  const auto ended = run.wait();
  REQUIRE(ended);
  if (::geteuid() == 0) {
    const auto self = parse_output(run.log());
    CHECK(one(self, "uid") == "65534");
    CHECK(one(self, "euid") == "65534");
    CHECK(one(self, "gid") == "65534");
    CHECK(one(self, "Groups") == "65534 ");
    CHECK(one(self, "pdeathsig") == std::to_string(SIGKILL));
    CHECK_THAT(run.log(), ContainsSubstring("env USER=nobody\n"));
  } else if (::geteuid() != 65534) {
    CHECK(ended->ending.outcome == Outcome::spawn_failed);
    CHECK(ended->ending.detail == "user: Operation not permitted");
  }
}

TEST_CASE("priority: an autogroup that the kernel refused at first is set within the second") {
  if (!os::read_autogroup(::getpid()).value()) return;  // a kernel without autogroups
  // Without privilege one of several writers at once gets EAGAIN; with it none does.
  std::vector<std::unique_ptr<OneRun>> runs;
  runs.reserve(4);
  for (int i = 0; i < 4; ++i) {
    runs.push_back(std::make_unique<OneRun>(job_at({11, {IoClass::idle, 0}}, {"stay"})));
  }
  for (const auto& run : runs)
    REQUIRE(run->wait_until_running());
  for (const auto& run : runs) {
    CHECK(eventually([&] { return os::read_autogroup(run->job()).value() == 11; }));
    CHECK(eventually([&] { return !supervisor::awaits_autogroup(run->reports_now()); }));
    const Applied applied = describe_applied(run->launched(), run->reports());
    const auto autogroup = std::find_if(applied.begin(), applied.end(),
                                        [](const auto& knob) { return knob.first == "autogroup"; });
    REQUIRE(autogroup != applied.end());
    CHECK(autogroup->second == "11");
  }
}
