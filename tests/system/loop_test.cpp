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
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace lull::tests {
namespace {

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
  using std::chrono::seconds;
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
  CHECK(levels.back()["state"] == "light");
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
  }
  instance.start_daemon();
  CHECK(eventually([&] { return has_level(pid, throttle().light); }));
}

}  // namespace
}  // namespace lull::tests
