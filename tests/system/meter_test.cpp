// What a run uses, added up from outside.
#include "runner/os/meter.hpp"

#include "runner/os/read_file.hpp"
#include "runner/os/sampler.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"
#include "tests/support/temp_folder.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <string_view>
#include <vector>

namespace lull::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A job that burns 200 ms of CPU time in each of three threads, which then end, and 200 ms more.
constexpr milliseconds kBurnt{800};

/// The run, measured from when it stands at its start until it has done all of that.
struct Burning {
  OneRun run{probe_job({"burn", "3"})};
  os::RunProcesses processes;

  Burning() {
    REQUIRE(run.wait_until_running());
    processes = run.driven().processes;
    REQUIRE(eventually([&] { return run.log().find("ready") != std::string::npos; }));
  }
  /// The meter is looked at all the while, as the loop does.
  Duration burn(os::RunMeter& meter) const {
    ::kill(run.job(), SIGUSR1);
    CHECK(eventually([&] {
      (void)meter.read();
      return run.log().find("burnt") != std::string::npos;
    }));
    return meter.read().cpu;
  }
};

void check_burnt(Duration cpu) {
  CHECK(cpu >= kBurnt - milliseconds(60));  // where the kernel counts in ticks
  CHECK(cpu < 2 * kBurnt);
}

TEST_CASE("meter: counts the CPU time of threads that have ended, with a group and without") {
  for (const bool with_groups : {true, false}) {
    const Burning job;
    os::RunProcesses processes = job.processes;
    if (!with_groups) processes.cgroups.clear();
    os::RunMeter meter(processes);
    check_burnt(job.burn(meter));
  }
}

TEST_CASE("meter: counts a process that was moved out of the run's group") {
  const Burning job;
  const std::string group = os::folder_with(job.processes, "cgroup.freeze");
  if (group.empty()) return;  // this user has no group to be moved out of
  os::RunMeter meter(job.processes);
  move_out_of(group, job.run.job());
  (void)meter.read();
  check_burnt(job.burn(meter));
}

TEST_CASE("reread: a file of the kernel is read to its end, though one read gives a page at most") {
  constexpr std::size_t kPages = 400;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const area = ::mmap(nullptr, kPages * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(area != MAP_FAILED);
  // Every other page differs, so that each is a line of its own.
  for (std::size_t i = 0; i < kPages; i += 2)
    REQUIRE(::mprotect(static_cast<char*>(area) + i * page, page, PROT_NONE) == 0);
  const os::Fd maps(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  std::vector<char> buffer;
  for (int look = 0; look < 2; ++look) {  // the second from the beginning again
    const std::string_view text = os::reread(maps, buffer);
    CHECK(std::count(text.begin(), text.end(), '\n') >= std::ptrdiff_t{kPages});
    CHECK(text.ends_with('\n'));
  }
  ::munmap(area, kPages * page);
}

/// What `measure` says when an ordinary user runs it.
bool as_nobody(bool (*measure)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool is_nobody = ::geteuid() != 0 || ::setresuid(kNobody, kNobody, kNobody) == 0;
    ::_exit(is_nobody && measure() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_CASE("sampler: another user's run leaves nothing unknown when it has gone") {
  CHECK(as_nobody([] {
    os::Sampler sampler;
    os::RunProcesses theirs;
    theirs.keeper.pid = theirs.main = 1;  // root's, whose I/O is not ours to see
    sampler.add(7, theirs);
    const bool unknown = !sampler.take(seconds(1)).own_io_known;
    sampler.remove(7);
    return unknown && sampler.take(seconds(2)).own_io_known;
  }));
}

TEST_CASE("sampler: what lull itself uses is not the foreground's") {
  const auto used = [] { return std::chrono::microseconds(std::clock()); };
  os::Sampler sampler;
  const Sample before = sampler.take(seconds(1));
  const auto at_first = used();
  while (used() - at_first < milliseconds(200)) {
  }
  CHECK(sampler.take(seconds(2)).own_cpu - before.own_cpu >= milliseconds(200));
}

/// A tree of cgroups as systemd has it, each in use; returns the folder of the user's manager.
std::string fixture_tree(const TempFolder& folder) {
  const std::string user = "user.slice/user-1000.slice/user@1000.service";
  const auto group = [&](const std::string& name, int cpu_us) {
    folder.write(name + "/cgroup.type", "domain\n");
    folder.write(name + "/cpu.weight", "100\n");
    folder.write(name + "/cpu.stat", "usage_usec " + std::to_string(cpu_us) + "\n");
    folder.write(name + "/cgroup.events", "populated 1\n");
  };
  group("system.slice", 3000);
  group("user.slice", 7000);
  group("user.slice/user-1000.slice", 7000);
  group(user, 5000);
  for (const char* slice : {"app.slice", "lull.slice"})
    group(user + "/" + slice, 0);
  group(user + "/app.slice/lull-a.1.1.scope", 0);
  group(user + "/lull.slice/lull-b.2.2.scope", 0);
  return folder.path(user);
}

TEST_CASE("sampler: what is ranked is told by the runs that weights move, whatever else runs") {
  const TempFolder folder;
  const std::string user = fixture_tree(folder);
  const auto run_in = [&](const std::string& group) {
    os::RunProcesses run;
    run.keeper.pid = run.main = ::getpid();
    run.cgroups = {user + "/" + group};
    return run;
  };
  for (const os::RunKey adapted : {1U, 3U}) {
    os::Sampler sampler;
    sampler.add(adapted, run_in("lull.slice/lull-b.2.2.scope"));
    sampler.add(2, run_in("app.slice/lull-a.1.1.scope"));
    const auto unranked = sampler.take(seconds(1)).unranked;
    REQUIRE(unranked);
    CHECK(unranked->cpu == std::chrono::microseconds(5000));
  }
}

}  // namespace
}  // namespace lull::tests
