#include "jobs/priority.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/kernel_stats.hpp"
#include "runner/os/process.hpp"
#include "runner/os/read_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace lull::tests {
namespace {

using std::chrono::seconds;

int cpus() { return static_cast<int>(std::thread::hardware_concurrency()); }

/// Only a foreground that takes more than half of the machine counts, so that what else runs beside
/// the tests does not.
std::string thresholds() {
  const auto share = [](int percent) { return '"' + std::to_string(percent) + "%\"\n"; };
  return "[foreground]\nbusy_cpu = " + share(cpus() * 55) + "calm_cpu = " + share(cpus() * 45) +
         "busy_io = " + share(100) + "calm_io = " + share(99) + "strained = " + share(100) +
         "light_after = \"500ms\"\n";
}

/// Waits until what else runs on this machine leaves most of it free: these tests tell a foreground
/// that comes from one that goes, which a machine that is busy all the time does not show.
bool is_quiet() {
  const auto times = [] {
    return os::parse_cpu_times(os::read_file("/proc/stat").value()).value();
  };
  const bool quiet = eventually([&] {
    const auto before = times();
    const auto from = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(seconds(1));
    const std::chrono::duration<double> idle = times().idle - before.idle;
    const std::chrono::duration<double> all = (std::chrono::steady_clock::now() - from) * cpus();
    return idle > all * 0.7;
  });
  if (!quiet) WARN("skipped: others use more than 30 % of this machine all the time");
  return quiet;
}

/// Somebody who needs all CPUs.
struct Someone {
  Child spinner{{probe(), "spin", std::to_string(cpus() * 2)}, {}};
};

constexpr std::string_view kSpin = R"(command = ["PROBE", "spin", "1"]
[priority]
policy = "throttle"
)";

std::string spin_job() {
  std::string text(kSpin);
  return text.replace(text.find("PROBE"), 5, probe());
}

std::string level_of(const Instance& instance) {
  const auto level = instance.status("spin")["level"];
  return level.is_string() ? level.get<std::string>() : "";
}

std::string level_text(const Level& level) { return to_string(level); }

/// A job's level as the kernel has it: to look at it costs next to nothing, where asking lull again
/// and again would be a foreground of its own.
bool has_level(pid_t pid, const Level& level) {
  if (os::get_io_priority(os::Whose::process, static_cast<id_t>(pid)).value() != level.io) {
    return false;
  }
  const auto autogroup = os::read_autogroup(pid).value();
  return !autogroup || *autogroup == level.nice;
}

/// "lull: nice 19, idle: busy: …", one line for each change.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

bool is_at(const Child& run, const Level& level) {
  return last_line(run.err()).find(level_text(level)) != std::string::npos;
}

LevelTable throttle() { return levels_of(Policy::throttle); }

TEST_CASE("loop: a daemon's job goes down with the foreground and up again, seen from outside") {
  if (!is_quiet()) return;
  // An ordinary user's limit, whoever runs the tests: nice alone could not come back.
  const rlimit none{0, 0};
  if (::geteuid() != 0) REQUIRE(::setrlimit(RLIMIT_NICE, &none) == 0);
  Instance instance;
  instance.settings(thresholds());
  instance.job("spin", spin_job());
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const pid_t pid = instance.status("spin")["pid"].get<pid_t>();
  CHECK(eventually([&] { return has_level(pid, throttle().light); }));
  {
    const Someone someone;
    const bool went_down = eventually([&] { return has_level(pid, throttle().busy); });
    const auto why = instance.json({"why", "spin"});
    INFO(why.dump());
    REQUIRE(went_down);
    CHECK(level_of(instance) == level_text(throttle().busy));
    CHECK(why["state"] == "running");
    CHECK_THAT(why["because"][0].get<std::string>(), ContainsSubstring("busy: foreground uses "));
    CHECK_THAT(instance.lull({"why", "spin"}).out, ContainsSubstring("run 1 at nice 19, idle"));
  }
  const bool went_up = eventually([&] { return has_level(pid, throttle().light); });
  INFO(instance.lull({"why", "spin"}).out);
  REQUIRE(went_up);
  CHECK(level_of(instance) == level_text(throttle().light));
  REQUIRE(instance.lull({"stop", "spin"}).exit_code == 0);
  const auto levels = instance.history("spin")[0]["levels"];
  REQUIRE(levels.size() >= 3);
  CHECK(levels[0]["reason"] == "at start");
  const auto busy = std::find_if(levels.begin(), levels.end(),
                                 [](const auto& level) { return level["state"] == "busy"; });
  REQUIRE(busy != levels.end());
  CHECK((*busy)["applied"]["io"] == "idle");
  // Not the last one, perhaps: somebody else may have come.
  CHECK(
      std::any_of(busy, levels.end(), [](const auto& level) { return level["state"] == "light"; }));
}

TEST_CASE("loop: lull run says each change with -v, and exits as the command does") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings(thresholds());
  std::vector<std::string> environment = instance.environment();
  Child run({lull_program(), "run", "-v", "--", probe(), "spin", "1"}, environment);
  REQUIRE(eventually([&] { return is_at(run, throttle().light); }));
  {
    const Someone someone;
    CHECK(eventually([&] { return is_at(run, throttle().busy); }));
  }
  CHECK(eventually([&] { return is_at(run, throttle().light); }));
  ::kill(run.pid(), SIGTERM);
  CHECK(run.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE("loop: lull run heeds the thresholds of lull.toml") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings("[foreground]\nbusy_cpu = \"1%\"\n");
  // Less than what is busy by default.
  const Child somebody({"sh", "-c", "while :; do sleep 0.01; done"}, {});
  Child run({lull_program(), "run", "-v", "--", probe(), "spin", "1"}, instance.environment());
  CHECK(eventually([&] { return is_at(run, throttle().busy); }));
  ::kill(run.pid(), SIGTERM);
  CHECK(run.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE("run: a mistake in lull.toml is said, and the command runs") {
  Instance instance;
  instance.settings("[foreground]\nbusy_cpu = 25\n");
  const Finished done = instance.lull({"run", "--", "true"});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.err, ContainsSubstring("lull.toml:"));
  CHECK_THAT(done.err, ContainsSubstring("error:"));
}

/// CPU time of a process.
Duration cpu_of(pid_t pid) {
  const auto stat = os::read_file("/proc/" + std::to_string(pid) + "/stat");
  return stat ? os::parse_process_cpu(*stat).value().own : Duration(0);
}

Duration cpu_of_all(const std::vector<pid_t>& pids) {
  return std::accumulate(pids.begin(), pids.end(), Duration(0),
                         [](Duration sum, pid_t pid) { return sum + cpu_of(pid); });
}

/// Whether a process that spins is neither frozen nor stopped.
bool may_run(pid_t pid) {
  const auto stat = os::read_process_stat(pid);
  return stat && stat->state == 'R';
}

/// The main processes of what each `lull run` runs.
std::vector<pid_t> jobs_of(const std::vector<std::unique_ptr<Child>>& runs) {
  std::vector<pid_t> jobs;
  for (const auto& run : runs) {
    for (const pid_t keeper : os::children_of(run->pid()))
      jobs.push_back(os::main_child_of(keeper));
  }
  return jobs;
}

TEST_CASE("loop: lull runs of one user and of another are nobody's foreground") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings(thresholds());
  const std::string threads = std::to_string(cpus() * 2);
  const std::vector<std::string> command{lull_program(), "run",  "-v",   "--",
                                         probe(),        "spin", threads};
  std::vector<std::unique_ptr<Child>> runs;
  runs.reserve(4);
  for (int i = 0; i < 3; ++i)
    runs.push_back(std::make_unique<Child>(command, instance.environment()));
  const TempFolder theirs;
  if (::geteuid() == 0) {
    // Theirs to write in; the settings are root's, which they trust.
    theirs.write("config/lull.toml", thresholds());
    ::chmod(theirs.path().c_str(), 0755);
    REQUIRE(::mkdir(theirs.path("w").c_str(), 0700) == 0);
    REQUIRE(::chown(theirs.path("w").c_str(), 65534, 65534) == 0);
    std::vector<std::string> other{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    other.insert(other.end(), command.begin(), command.end());
    runs.push_back(std::make_unique<Child>(
        other, std::vector<std::string>{"LULL_CONFIG_DIR=" + theirs.path("config"),
                                        "LULL_STATE_DIR=" + theirs.path("w/state"),
                                        "LULL_RUNTIME_DIR=" + theirs.path("w/run")}));
  }
  // Each takes its share of all CPUs: if one were taken for foreground, none would come to rest.
  const auto all_light = [&] {
    return std::all_of(runs.begin(), runs.end(),
                       [](const auto& run) { return is_at(*run, throttle().light); });
  };
  CHECK(eventually([&] {
    if (!all_light()) return false;
    for (int i = 0; i < 30; ++i) {
      ::usleep(50'000);
      if (!all_light()) return false;
    }
    return true;
  }));
  {
    const Someone someone;  // and a real one counts for all of them
    CHECK(eventually([&] {
      return std::all_of(runs.begin(), runs.end(), [](const auto& run) {
        return is_at(*run, throttle().busy) ||
               last_line(run->err()).find("pause") != std::string::npos;
      });
    }));
    const auto jobs = jobs_of(runs);
    const auto before = cpu_of_all(jobs);
    const auto spun = cpu_of(someone.spinner.pid());
    CHECK(eventually([&] { return cpu_of(someone.spinner.pid()) - spun > seconds(cpus()); }));
    const Duration ours = cpu_of_all(jobs) - before;
    const Duration foreground = cpu_of(someone.spinner.pid()) - spun;
    INFO("jobs " << ours.count() << " us, foreground " << foreground.count() << " us");
    CHECK(ours < foreground / 4);
  }
  for (const auto& run : runs)
    ::kill(run->pid(), SIGTERM);
  for (const auto& run : runs)
    run->wait();
}

TEST_CASE("loop: when the lull that has it is killed, the next takes over") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings(thresholds());
  const std::vector<std::string> command{lull_program(), "run", "-v", "--", probe(), "spin", "1"};
  Child first(command, instance.environment());
  REQUIRE(eventually([&] { return is_at(first, throttle().light); }));
  Child second(command, instance.environment());
  REQUIRE(eventually([&] { return is_at(second, throttle().light); }));
  ::kill(first.pid(), SIGKILL);
  first.wait();
  const Someone someone;
  CHECK(eventually([&] { return is_at(second, throttle().busy); }));
  ::kill(second.pid(), SIGTERM);
  CHECK(second.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE("loop: a daemon that has it drives the jobs of lull run too, until it goes") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings(thresholds());
  instance.job("spin", spin_job());
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const pid_t pid = instance.status("spin")["pid"].get<pid_t>();
  REQUIRE(eventually([&] { return has_level(pid, throttle().light); }));
  Child run({lull_program(), "run", "-v", "--", probe(), "spin", "1"}, instance.environment());
  REQUIRE(eventually([&] { return is_at(run, throttle().light); }));
  {
    const Someone someone;
    CHECK(eventually([&] { return is_at(run, throttle().busy); }));
    CHECK(eventually([&] { return has_level(pid, throttle().busy); }));
  }
  CHECK(eventually([&] { return is_at(run, throttle().light); }));
  instance.end_daemon(SIGKILL);
  const Someone someone;
  CHECK(eventually([&] { return is_at(run, throttle().busy); }));
  ::kill(run.pid(), SIGTERM);
  CHECK(run.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE(
    "loop: beside a foreground the jobs of one user cost it one share, and each has its turn") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings("max_concurrent = 4\n" + thresholds());
  constexpr int kJobs = 4;
  std::vector<pid_t> jobs;
  for (int i = 0; i < kJobs; ++i)
    instance.job("spin" + std::to_string(i), spin_job());
  instance.start_daemon();
  for (int i = 0; i < kJobs; ++i) {
    const std::string name = "spin" + std::to_string(i);
    REQUIRE(instance.lull({"start", name}).exit_code == 0);
    jobs.push_back(instance.status(name)["pid"].get<pid_t>());
  }
  const Someone someone;
  for (const pid_t pid : jobs)
    REQUIRE(eventually([&] { return has_level(pid, throttle().busy); }));
  const auto before = cpu_of_all(jobs);
  const auto theirs = cpu_of(someone.spinner.pid());
  // Which of those that may run does run is the kernel's affair: in an idle group one of four was
  // seen to wait for more than a minute.
  std::set<pid_t> had_turn;
  CHECK(eventually([&] {
    std::copy_if(jobs.begin(), jobs.end(), std::inserter(had_turn, had_turn.end()), may_run);
    return had_turn.size() == jobs.size() && cpu_of_all(jobs) > before &&
           cpu_of(someone.spinner.pid()) - theirs > seconds(cpus());
  }));
  const Duration ours = cpu_of_all(jobs) - before;
  const Duration foreground = cpu_of(someone.spinner.pid()) - theirs;
  INFO("jobs " << ours.count() << " us, foreground " << foreground.count() << " us");
  CHECK(ours < foreground / 4);
}

/// A file to read blocks from.
struct Blocks {
  TempFolder folder;
  std::string file = folder.write("blocks", std::string(16 << 20, 'x'));
  Blocks() { ::sync(); }
};

/// Bytes that a process has read from disks.
std::uint64_t read_by(pid_t pid) {
  const auto io = os::read_file("/proc/" + std::to_string(pid) + "/io");
  return io ? os::parse_process_io(*io).value().read.count : 0;
}

TEST_CASE("loop: a job that reads gives way to somebody who reads too, and gets the disk back") {
  if (!is_quiet()) return;
  const Blocks blocks;
  Instance instance;
  instance.settings(thresholds());
  Child run({lull_program(), "run", "-v", "--", probe(), "read", blocks.file},
            instance.environment());
  REQUIRE(eventually([&] { return is_at(run, throttle().light) || run.ended(); }));
  if (run.ended()) {
    WARN("skipped: no reads past the page cache in " << blocks.file);
    return;
  }
  const auto job = [&] {
    const auto keepers = os::children_of(run.pid());
    return keepers.empty() ? pid_t{0} : os::main_child_of(keepers.front());
  };
  REQUIRE(eventually([&] { return job() != 0; }));
  const pid_t pid = job();
  if (!eventually([&] { return read_by(pid) > 0; })) {
    WARN("skipped: the kernel does not count what is read in " << blocks.file);
    return;
  }
  {
    Child somebody({probe(), "read", blocks.file}, {});
    // Alike but for their priority: without it each would get half.
    CHECK(eventually([&] {
      const auto ours = read_by(pid);
      const auto theirs = read_by(somebody.pid());
      std::this_thread::sleep_for(std::chrono::seconds(1));
      return (read_by(pid) - ours) * 4 < read_by(somebody.pid()) - theirs;
    }));
    CHECK(eventually([&] { return is_at(run, throttle().busy); }));
  }
  CHECK(eventually([&] { return is_at(run, throttle().light); }));
  const auto before = read_by(pid);
  CHECK(eventually([&] { return read_by(pid) > before; }));
  ::kill(run.pid(), SIGTERM);
  CHECK(run.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE("loop: a daemon that is killed while it holds a job frozen does not leave it so") {
  if (!is_quiet()) return;
  const Blocks blocks;
  Instance instance;
  instance.settings(thresholds());
  instance.job("read", "command = [\"" + probe() + "\", \"read\", \"" + blocks.file +
                           "\"]\n[priority]\npolicy = \"throttle\"\n");
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "read"}).exit_code == 0);
  const pid_t pid = instance.status("read")["pid"].get<pid_t>();
  if (!eventually([&] { return read_by(pid) > 0; })) {
    WARN("skipped: no counted reads past the page cache in " << blocks.file);
    return;
  }
  const Child somebody({probe(), "read", blocks.file}, {});
  const auto stands_still = [&] {
    const auto before = read_by(pid);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return read_by(pid) == before;
  };
  REQUIRE(eventually(stands_still));
  instance.end_daemon(SIGKILL);
  const auto before = read_by(pid);
  CHECK(eventually([&] { return read_by(pid) > before + (1U << 20U); }));
  instance.start_daemon();  // to end it
  CHECK(instance.lull({"stop", "read"}).exit_code == 0);
}

TEST_CASE("loop: a new daemon drives the jobs of the one that was killed") {
  if (!is_quiet()) return;
  Instance instance;
  instance.settings(thresholds());
  instance.job("spin", spin_job());
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const pid_t pid = instance.status("spin")["pid"].get<pid_t>();
  {
    const Someone someone;
    REQUIRE(eventually([&] { return has_level(pid, throttle().busy); }));
    instance.end_daemon(SIGKILL);
    instance.start_daemon();
    REQUIRE(eventually([&] { return level_of(instance) == level_text(throttle().busy); }));
    const auto before = cpu_of(pid);
    CHECK(eventually([&] { return cpu_of(pid) > before; }));  // courteous, and not frozen
  }
  CHECK(eventually([&] { return has_level(pid, throttle().light); }));
}

}  // namespace
}  // namespace lull::tests
