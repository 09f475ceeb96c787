// What `lull inspect` says against what the kernel says to this test's own system calls.
#include "runner/cli/inspect.hpp"

#include "runner/cli/instance.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/keeper_plan.hpp"
#include "runner/os/process.hpp"
#include "tests/support/catch.hpp"

#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

// ioprio_set(2)
constexpr int kNone = 0;
constexpr int kBestEffort = 2;
constexpr int kIdle = 3;
constexpr int kWhoProcess = 1;
constexpr int kWhoGroup = 2;

using namespace lull;
using namespace lull::cli;

struct Wanted {
  const char* comm = "";
  int nice = 0;
  int io_class = kNone;
  int io_level = 0;
  int policy = SCHED_OTHER;
};

/// In the child: becomes what is wanted, says so, and waits to be killed.
[[noreturn]] void live_as(const Wanted& wanted, pid_t group, int ready) {
  const sched_param param{};
  bool done = ::setpgid(0, group) == 0;
  done = done && ::prctl(PR_SET_NAME, wanted.comm) == 0;
  done = done && ::sched_setscheduler(0, wanted.policy, &param) == 0;
  done = done && ::setpriority(PRIO_PROCESS, 0, wanted.nice) == 0;
  const auto io_class = static_cast<IoClass>(wanted.io_class);
  const int io = os::raw_io_priority({io_class, wanted.io_level});
  done = done && ::syscall(SYS_ioprio_set, kWhoProcess, 0, io) == 0;
  const char word = done ? 'y' : 'n';
  if (::write(ready, &word, 1) != 1) ::_exit(1);
  for (;;)
    ::pause();
}

/// Starts a child and returns when it has become what is wanted; `group` 0 makes it a leader.
pid_t start(const Wanted& wanted, pid_t group) {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t pid = ::fork();
  if (pid == 0) live_as(wanted, group, ready[1]);
  char word = 'n';
  const bool done = ::read(ready[0], &word, 1) == 1 && word == 'y';
  ::close(ready[0]);
  ::close(ready[1]);
  if (!done) throw std::runtime_error(std::string("no child ") + wanted.comm);
  return pid;
}

/// Children in one process group, each as wanted; gone with the object.
class Group {
 public:
  explicit Group(const std::vector<Wanted>& all) {
    for (const Wanted& wanted : all)
      pids_.push_back(start(wanted, pids_.empty() ? 0 : pids_.front()));
  }
  Group(const Group&) = delete;
  Group(Group&&) = delete;
  Group& operator=(const Group&) = delete;
  Group& operator=(Group&&) = delete;
  ~Group() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  [[nodiscard]] pid_t id() const { return pids_.front(); }
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

std::vector<Wanted> three() {
  const int nice = ::getpriority(PRIO_PROCESS, 0);  // all may be made worse, and no better
  return {{"a) b (c", nice, kBestEffort, 6, SCHED_BATCH},
          {"idler", 19, kIdle, 0, SCHED_IDLE},
          {"plain", std::min(nice + 5, 19), kBestEffort, 3, SCHED_OTHER}};
}

InspectOptions by_group(pid_t group) {
  InspectOptions options;
  options.pgrp = group;
  return options;
}

}  // namespace

TEST_CASE("inspect: a process is what its own system calls say") {
  const auto wanted = three();
  const Group group(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    InspectOptions options;
    options.pid = group.pids()[i];
    const Inspection found = inspect(options).value();
    REQUIRE(found.processes.size() == 1);
    const InspectedProcess& process = found.processes.front();
    CHECK(process.pid == group.pids()[i]);
    CHECK(process.comm == wanted[i].comm);
    CHECK(process.standing.nice == wanted[i].nice);
    CHECK(static_cast<int>(process.standing.io.io_class) == wanted[i].io_class);
    CHECK(process.standing.io.level == wanted[i].io_level);
    CHECK(process.standing.autogroup_nice == os::read_autogroup(::getpid()).value());
    CHECK(process.standing.cgroup == os::read_process_cgroup(::getpid()).value());
    CHECK(found.highest == process.standing);
  }
}

TEST_CASE("inspect: of a group the outer values are the highest, as the kernel has them") {
  const Group group(three());
  const Inspection found = inspect(by_group(group.id())).value();
  CHECK(found.processes.size() == 3);
  CHECK(found.unreadable.empty());
  const auto group_id = static_cast<id_t>(group.id());
  CHECK(found.highest.nice == ::getpriority(PRIO_PGRP, group_id));
  CHECK(found.highest.nice == ::getpriority(PRIO_PROCESS, 0));
  CHECK(found.highest.io == IoPriority{IoClass::best_effort, 3});
  CHECK(os::raw_io_priority(found.highest.io) == ::syscall(SYS_ioprio_get, kWhoGroup, group.id()));
  CHECK(found.highest.policy == os::SchedPolicy::other);
  CHECK(found.processes[0].standing.policy == os::SchedPolicy::batch);
  CHECK(found.processes[1].standing.policy == os::SchedPolicy::idle);
}

TEST_CASE("inspect: a group where nobody set an I/O priority has what the nice value stands for") {
  const Group group({{"one", 19, kNone, 0, SCHED_OTHER}});
  const Inspection found = inspect(by_group(group.id())).value();
  CHECK(found.processes.front().standing.io == IoPriority{});
  CHECK(os::raw_io_priority(found.highest.io) == ::syscall(SYS_ioprio_get, kWhoGroup, group.id()));
}

TEST_CASE("inspect: a user is found by name or number, with all the processes") {
  const Group group(three());
  InspectOptions options;
  options.user = std::to_string(::getuid());
  const Inspection found = inspect(options).value();
  std::set<pid_t> pids;
  for (const InspectedProcess& process : found.processes)
    pids.insert(process.pid);
  CHECK(pids.count(::getpid()) == 1);
  for (const pid_t pid : group.pids())
    CHECK(pids.count(pid) == 1);
  CHECK(found.highest.nice == ::getpriority(PRIO_USER, ::getuid()));

  options.user = "root";
  const auto root = inspect(options);  // may be hidden from us, but it is never about ourselves
  if (root && ::getuid() != 0) {
    for (const InspectedProcess& process : root.value().processes)
      CHECK(process.pid != ::getpid());
  }
}

TEST_CASE("inspect: what does not exist is an error that names it, and exit code 1") {
  pid_t gone = 0;
  {
    const Group group({{"gone", 19, kIdle, 0, SCHED_OTHER}});
    gone = group.id();
  }
  InspectOptions options;
  options.pid = gone;
  const auto found = inspect(options);
  REQUIRE(found.has_error());
  CHECK_THAT(found.error().what(), ContainsSubstring("process " + std::to_string(gone)));
  CHECK(run_inspect(options) == kFailed);
  CHECK(inspect(by_group(gone)).has_error());

  InspectOptions user;
  user.user = "no-such-user";
  CHECK_THAT(inspect(user).error().what(), ContainsSubstring("no-such-user"));
  user.user = "4123456789";
  CHECK_THAT(inspect(user).error().what(), ContainsSubstring("4123456789"));

  CHECK(run_inspect(InspectOptions()) == kUsage);
  options.pgrp = gone;
  CHECK(run_inspect(options) == kUsage);
}

TEST_CASE("inspect: the JSON has the keys in their order, and null where there is no autogroup") {
  Inspection inspection;
  inspection.highest = {-5, {IoClass::best_effort, 6}, os::SchedPolicy::fifo, 3, "/a"};
  inspection.processes = {
      {7, "bad \xff name", {19, {IoClass::none, 0}, os::SchedPolicy::other, std::nullopt, "/"}}};
  const auto json = nlohmann::ordered_json::parse(inspection_json(inspection));
  CHECK(json.dump() ==
        R"({"nice":-5,"io":"best-effort:6","policy":"fifo","autogroup_nice":3,"cgroup":"/a",)"
        R"("processes":[{"pid":7,"comm":"bad � name","nice":19,"io":"none","policy":"other",)"
        R"("autogroup_nice":null,"cgroup":"/"}]})");
}

TEST_CASE("inspect: the highest of each, with `none` read as the nice value that it follows") {
  const std::vector<InspectedProcess> processes{
      {1, "a", {10, {IoClass::best_effort, 7}, os::SchedPolicy::batch, 5, "/x"}},
      {2, "b", {0, {IoClass::none, 0}, os::SchedPolicy::idle, std::nullopt, "/y"}},
      {3, "c", {5, {IoClass::none, 0}, os::SchedPolicy::other, 2, "/x"}}};
  // 3's `none` is best-effort:5; 2's is idle, since its policy is.
  CHECK(highest_of(processes) == Standing{0, {IoClass::none, 0}, os::SchedPolicy::other, 2, "/y"});
}

TEST_CASE(
    "inspect: children, identity and pidfd of a process that lives, and of one that does not") {
  pid_t gone = 0;
  os::ProcessIdentity identity;
  {
    const Group group({{"child", 19, kIdle, 0, SCHED_OTHER}});
    gone = group.id();
    const auto children = os::children_of(::getpid());
    CHECK(std::count(children.begin(), children.end(), gone) == 1);
    identity = os::identify_process(gone).value();
    CHECK(os::open_process(identity));
    os::ProcessIdentity other = identity;
    ++other.start_time;
    CHECK_FALSE(os::open_process(other));
    const auto all = os::all_processes().value();
    CHECK(std::count(all.begin(), all.end(), gone) == 1);
  }
  CHECK_FALSE(os::open_process(identity));
  CHECK(os::children_of(gone).empty());
  CHECK(os::main_child_of(gone) == 0);
  CHECK(os::is_gone(os::read_process_stat(gone).error()));
}
