// One run under a real lull-keeper: what becomes of jobs that behave badly.
#include "runner/keeper/plan.hpp"
#include "runner/os/keeper_process.hpp"
#include "runner/os/pidfd.hpp"
#include "runner/os/process.hpp"
#include "runner/os/run_processes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

using namespace lull;
using namespace lull::tests;

namespace {

std::vector<pid_t> pids_of(const std::string& log, const std::string& key) {
  std::vector<pid_t> pids;
  const auto values = parse_output(log);
  const auto [begin, end] = values.equal_range(key);
  for (auto it = begin; it != end; ++it)
    pids.push_back(std::stoi(it->second));
  return pids;
}

bool all_gone(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    if (is_alive(pid)) return false;
  }
  return true;
}

/// A run whose supervisor is gone.
struct LeftRun {
  pid_t keeper = 0;
  pid_t job = 0;
  std::array<char, 256> state{};  ///< its state folder
};

LeftRun leave_run(const JobSpec& spec, const supervisor::LaunchOptions& options) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const os::Fd read(ends[0]);
  os::Fd write(ends[1]);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    auto* const run = new OneRun(spec, options);  // goes on when we are gone
    run->let_go();
    run->wait_until_running();
    LeftRun left{run->keeper(), run->job(), {}};
    run->state_folder().copy(left.state.data(), left.state.size() - 1);
    (void)!::write(write.get(), &left, sizeof left);
    ::_exit(0);
  }
  write.reset();
  LeftRun left;
  REQUIRE(::read(read.get(), &left, sizeof left) == sizeof left);
  REQUIRE(::waitpid(supervisor, nullptr, 0) == supervisor);
  REQUIRE(left.job != 0);
  return left;
}

}  // namespace

TEST_CASE("keeper: the exit code decides, and 0 alone is a success by default") {
  const auto [code, codes, outcome] =
      GENERATE(table<int, std::vector<int>, Outcome>({{0, {0}, Outcome::success},
                                                      {3, {0}, Outcome::failed},
                                                      {1, {0, 1}, Outcome::success},
                                                      {0, {1}, Outcome::failed},
                                                      {255, {255}, Outcome::success}}));
  JobSpec spec = probe_job({"exit", std::to_string(code)});
  spec.success_exit_codes = codes;
  OneRun run(spec);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == outcome);
  CHECK(ended->ending.exit_code == code);
  CHECK_FALSE(ended->ending.signal);
  CHECK(ended->ending.at >= ended->started);
}

TEST_CASE("keeper: a job killed by a signal has failed, and the signal is known") {
  OneRun run(probe_job({"kill-self", std::to_string(SIGSEGV)}));
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::failed);
  CHECK(ended->ending.signal == SIGSEGV);
  CHECK_FALSE(ended->ending.exit_code);
}

TEST_CASE(
    "keeper: a job in a scope that is killed is interrupted, if word comes that this was meant") {
  const bool was_meant = GENERATE(true, false);
  supervisor::LaunchOptions options;
  options.scope = ScopePlacement{"/nowhere", "lull.slice", std::nullopt};
  OneRun run(probe_job({"stay"}), options);
  run.let_go();
  REQUIRE(run.wait_until_running());
  ::kill(run.job(), SIGTERM);
  REQUIRE(eventually([&] { return !is_alive(run.job()); }));
  if (was_meant) run.signal_keeper(keeper::kInterruptedSignal);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == (was_meant ? Outcome::interrupted : Outcome::failed));
  CHECK(ended->ending.signal == SIGTERM);
}

TEST_CASE("keeper: such word is waited for from a supervisor that took the run up, too") {
  supervisor::LaunchOptions options;
  options.scope = ScopePlacement{"/nowhere", "lull.slice", std::nullopt};
  const LeftRun left = leave_run(probe_job({"stay"}), options);
  const os::ProcessIdentity identity = os::identify_process(left.keeper).value();
  const os::Fd keeper = os::open_process(identity);
  os::take_up_keeper(identity);
  REQUIRE(eventually([&] { return !has_pending(left.keeper, keeper::kSupervisorSignal); }));
  ::kill(left.job, SIGTERM);
  CHECK(eventually([&] { return !is_alive(left.job); }));
  os::send_signal(keeper.get(), keeper::kInterruptedSignal);
  CHECK(eventually([&] { return os::has_ended(keeper.get()); }));
  const auto run = os::RunFiles::open(left.state.data()).value().read(1).value();
  std::filesystem::remove_all(left.state.data());
  REQUIRE(run);
  REQUIRE(run->outcome);
  CHECK(run->outcome->ending.outcome == Outcome::interrupted);
}

TEST_CASE("keeper: what cannot be executed is spawn-failed with its stage and errno") {
  const TempFolder files;
  const std::string plain = files.write("plain", "no program");
  JobSpec spec = probe_job({"exit", "0"});
  std::string detail;
  SECTION("a program that is not there") {
    spec.what = Command{{"/no/such/program"}};
    detail = "exec: No such file or directory";
  }
  SECTION("a name that is nowhere in PATH") {
    spec.what = Command{{"no-such-program-anywhere"}};
    detail = "exec: No such file or directory";
  }
  SECTION("a file without the permission to execute") {
    spec.what = Command{{plain}};
    detail = "exec: Permission denied";
  }
  SECTION("a file that is no program") {
    ::chmod(plain.c_str(), 0755);
    spec.what = Command{{plain}};
    detail = "exec: Exec format error";
  }
  SECTION("a folder that is not there") {
    spec.directory = "/no/such/folder";
    detail = "directory: No such file or directory";
  }
  OneRun run(spec);
  CHECK_FALSE(run.wait_until_running());
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::spawn_failed);
  CHECK(ended->ending.detail == detail);
  CHECK_FALSE(ended->ending.exit_code);
}

TEST_CASE("keeper: an unknown user means no process, not one of ours") {
  JobSpec spec = probe_job({"exit", "0"});
  spec.user = "no-such-user-here";
  const OneRun run(spec);
  CHECK_THAT(run.launch_error(), ContainsSubstring("no-such-user-here"));
}

TEST_CASE("keeper: a gigabyte of output leaves the newest log_size, and the job is not held up") {
  JobSpec spec = probe_job({"print", "1000000000"});
  spec.limits.log_size = Bytes{1'000'000};
  OneRun run(spec);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::success);
  const std::string log = run.log();
  CHECK(log.size() == 1'000'000);
  CHECK(log.substr(log.size() - 10) == "last line\n");
  CHECK_FALSE(std::filesystem::exists(run.log_path() + ".old"));
}

TEST_CASE("keeper: output shorter than log_size is kept whole") {
  OneRun run(probe_job({"print", "100000"}));
  REQUIRE(run.wait());
  CHECK(run.log() == std::string(100'000, 'x') + "last line\n");
}

TEST_CASE("keeper: a job that closes its descriptors still has an outcome") {
  OneRun run(probe_job({"close-fds"}));
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.exit_code == 7);
}

TEST_CASE("keeper: a daemon that a job leaves behind is ended and counted") {
  OneRun run(probe_job({"daemonize"}));
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::success);
  CHECK_THAT(ended->ending.detail, ContainsSubstring("1 left-over processes ended"));
  const auto daemons = pids_of(run.log(), "daemon");
  REQUIRE(daemons.size() == 1);
  CHECK(all_gone(daemons));
}

TEST_CASE("keeper: exit 0 while children live is a success, and the children are ended") {
  OneRun run(probe_job({"leave-children"}));
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::success);
  CHECK(ended->ending.exit_code == 0);
  CHECK_THAT(ended->ending.detail, ContainsSubstring("3 left-over processes ended"));
  const auto children = pids_of(run.log(), "child");
  REQUIRE(children.size() == 3);
  CHECK(all_gone(children));
}

TEST_CASE("keeper: SIGTERM to it stops the whole tree, SIGKILL ends what ignores that") {
  OneRun run(probe_job({"ignore-term"}));
  REQUIRE(run.wait_until_running());
  REQUIRE(eventually([&] {
    return pids_of(run.log(), "pid").size() == 1 && pids_of(run.log(), "child").size() == 1;
  }));
  run.signal_keeper(SIGTERM);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::stopped);
  CHECK(ended->ending.signal == SIGKILL);
  CHECK(all_gone(pids_of(run.log(), "child")));
}

TEST_CASE("keeper: a stop is SIGTERM first") {
  OneRun run(probe_job({"stay"}));
  REQUIRE(run.wait_until_running());
  run.signal_keeper(SIGTERM);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::stopped);
  CHECK(ended->ending.signal == SIGTERM);
}

TEST_CASE("keeper: a stopped (SIGSTOP) job can be ended") {
  OneRun run(probe_job({"stay"}));
  REQUIRE(run.wait_until_running());
  ::kill(run.job(), SIGSTOP);
  REQUIRE(eventually([&] { return os::read_process_stat(run.job())->state == 'T'; }));
  run.signal_keeper(SIGTERM);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::stopped);
}

TEST_CASE("keeper: a timeout ends the tree and is named") {
  JobSpec spec = probe_job({"stay"});
  spec.limits.timeout = std::chrono::milliseconds(200);
  OneRun run(spec);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::timed_out);
}

TEST_CASE("keeper: a second keeper for the same run starts nothing") {
  TempFolder state;
  const auto files = os::RunFiles::open(state.path()).value();
  const auto launcher = supervisor::Launcher::make(files, state.path()).value();
  RunRecord record;
  record.id = 1;
  record.job = "probe";
  const JobSpec spec = probe_job({"print", "1"});
  auto first = launcher.launch(spec, record, {}).value();
  auto second = launcher.launch(spec, record, {}).value();
  REQUIRE(eventually([&] {
    return os::has_ended(first.keeper.pidfd.get()) && os::has_ended(second.keeper.pidfd.get());
  }));
  std::size_t running = 0;
  std::size_t refused = 0;
  for (const auto* launched : {&first, &second}) {
    const auto reports = os::read_reports(launched->keeper.reports.get());
    REQUIRE(reports);
    if (reports->back().kind == keeper::Report::Kind::running) ++running;
    if (reports->back().stage == keeper::Stage::claim && reports->back().error == EEXIST) ++refused;
  }
  CHECK(running == 1);
  CHECK(refused == 1);
}

TEST_CASE("keeper: the job dies with a keeper that is killed") {
  OneRun run(probe_job({"stay"}));
  REQUIRE(run.wait_until_running());
  const pid_t job = run.job();
  run.signal_keeper(SIGKILL);
  CHECK_FALSE(run.wait());
  CHECK(eventually([&] { return !is_alive(job); }));
}

TEST_CASE("keeper: nothing is left of a run but its outcome, and its log if it said something") {
  const bool talks = GENERATE(true, false);
  OneRun run(probe_job({talks ? "print" : "exit", "0"}));
  REQUIRE(run.wait_until_running());
  REQUIRE(run.wait());
  for (const CgroupPlacement& group : run.launched().plan.cgroups) {
    const std::string path =
        group.parent + "/" + run.launched().cgroup_name + "." + std::to_string(run.keeper());
    INFO(path);
    CHECK_FALSE(std::filesystem::exists(path));
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run.state_folder())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> expected{run.run_file()};
  if (talks) expected.insert(expected.begin(), run.log_path());
  CHECK(files == expected);
}

TEST_CASE("keeper: a group in which an earlier job was killed is not the next one's") {
  JobSpec spec = probe_job({"exit", "0"});
  spec.name = "reborn";
  OneRun first(spec);
  REQUIRE(first.wait());
  const auto group_of = [&](const CgroupPlacement& group, pid_t keeper) {
    return group.parent + "/" + first.launched().cgroup_name + "." + std::to_string(keeper);
  };
  const pid_t next = first.keeper() + 1;
  const pid_t last = first.keeper() + 500;
  for (const CgroupPlacement& group : first.launched().plan.cgroups) {
    for (pid_t keeper = next; keeper < last; ++keeper) {
      std::filesystem::create_directory(group_of(group, keeper));
      std::ofstream(group_of(group, keeper) + "/cgroup.kill") << 1;
    }
  }
  for (int run = 0; run < 10; ++run) {  // of which some will have a pid of these
    OneRun again(spec);
    const auto ended = again.wait();
    REQUIRE(ended);
    CHECK(ended->ending.outcome == Outcome::success);
  }
  for (const CgroupPlacement& group : first.launched().plan.cgroups) {
    for (pid_t keeper = next; keeper < last; ++keeper)
      ::rmdir(group_of(group, keeper).c_str());
  }
}

TEST_CASE("keeper: what the tree used is in the outcome") {
  JobSpec spec = probe_job({"exit", "0"});
  spec.what = Script{"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"};
  OneRun run(spec);
  const auto ended = run.wait();
  REQUIRE(ended);
  CHECK(ended->ending.outcome == Outcome::success);
  CHECK(ended->ending.usage.cpu > Duration(0));
}

TEST_CASE("keeper: what is below one belongs to a run, however deep, and nothing else does") {
  OneRun run(probe_job({"breed", "2"}));
  REQUIRE(run.wait_until_running());
  REQUIRE(eventually([&] { return run.log().find("bred 2") != std::string::npos; }));
  CHECK(os::is_keeper(run.keeper()));
  CHECK_FALSE(os::belongs_to_run(run.keeper()));
  CHECK(os::belongs_to_run(run.job()));
  for (const pid_t child : os::children_of(run.job()))
    CHECK(os::belongs_to_run(child));
  CHECK_FALSE(os::is_keeper(run.job()));
}
