// `lull pause` and `lull resume`: what is due waits, what runs stands still, and neither a killed
// supervisor nor another lull that has the loop changes that.
#include "jobs/rfc3339.hpp"
#include "runner/os/freezer.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/process.hpp"
#include "runner/store/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

using namespace lull::tests;
using nlohmann::json;

namespace {

std::string ticking() { return "command = [\"/bin/true\"]\n[schedule]\nevery = \"1s\"\n"; }

std::string spinning(const std::string& priority = "") {
  return "command = [\"" + probe() + "\", \"spin\", \"1\"]\n" + priority;
}

std::string state(const Instance& instance, const std::string& job) {
  return instance.status(job)["state"].get<std::string>();
}

lull::TimePoint time_of(const json& text) {
  return lull::parse_rfc3339(text.get<std::string>()).value();
}

/// A due run of the job waits for the end of a pause.
bool waits(const Instance& instance, const std::string& job) {
  return eventually([&] {
    const json status = instance.status(job);
    return status["waiting"].size() == 1 && status["waiting"][0]["gate"] == "pause";
  });
}

bool has_succeeded(const Instance& instance, const std::string& job) {
  return eventually([&] {
    const json runs = instance.history(job);
    return std::any_of(runs.begin(), runs.end(),
                       [](const json& run) { return run["outcome"] == "success"; });
  });
}

/// The run ends by itself, and well.
bool succeeds(const Instance& instance, const json& run) {
  return eventually([&] {
    const json runs = instance.history();
    return std::any_of(runs.begin(), runs.end(), [&](const json& one) {
      return one["run"] == run && one["outcome"] == "success";
    });
  });
}

/// A run that has started, as the kernel sees it.
class Going {
 public:
  Going(const Instance& instance, const std::string& job) {
    const json status = instance.status(job);
    run_.main = status["pid"].get<pid_t>();
    const pid_t keeper = lull::os::read_process_stat(run_.main)->parent;
    run_.keeper = lull::os::identify_process(keeper).value();
    const std::string name = job + "." + status["run"].dump() + "." + std::to_string(keeper);
    for (const std::string& group : {name, "lull-" + name + ".scope"}) {
      if (run_.cgroups.empty()) run_.cgroups = lull::os::groups_called(group, run_.main);
    }
  }

  [[nodiscard]] bool comes_to_rest() const {
    return eventually([&] { return lull::os::Freezer(run_, by_signals).is_frozen(); });
  }
  [[nodiscard]] bool goes_on() const {
    const std::string before = used();
    return eventually(
        [&] { return !lull::os::Freezer(run_, by_signals).is_frozen() && used() != before; });
  }
  [[nodiscard]] pid_t pid() const { return run_.main; }

  bool by_signals = false;

 private:
  /// Its CPU time.
  [[nodiscard]] std::string used() const {
    const std::string process = "/proc/" + std::to_string(run_.main);
    const std::string text = slurp(process + "/schedstat");
    return text.empty() ? slurp(process + "/stat") : text;
  }

  lull::os::RunProcesses run_;
};

/// How often a run of the job was paused by hand, as its levels have it.
std::size_t times_held(const Instance& instance, const std::string& job) {
  const json levels = instance.history(job)[0]["levels"];
  return static_cast<std::size_t>(std::count_if(levels.begin(), levels.end(), [](const json& one) {
    return one["level"] == "pause" && one["reason"] == "paused by hand";
  }));
}

}  // namespace

TEST_CASE("pause: what becomes due waits in one run, says so, and starts when it is resumed") {
  Instance instance;
  instance.start_daemon();
  instance.job("tick", ticking());
  REQUIRE(eventually([&] { return instance.json({"status"}).size() == 1; }));
  const Finished paused = instance.lull({"pause", "tick"});
  CHECK(paused.exit_code == 0);
  CHECK(paused.out == "tick: paused by hand until `lull resume`\n");
  // A run may have been on its way.
  REQUIRE(waits(instance, "tick"));
  const json status = instance.status("tick");
  CHECK(status["state"] == "paused");
  CHECK(status["paused_until"].is_null());
  CHECK(status["waiting"][0]["reason"] == "paused by hand until `lull resume`");
  CHECK_THAT(instance.json({"why", "tick"})["because"].dump(), ContainsSubstring("paused by hand"));
  CHECK_THAT(instance.lull({"status"}).out, ContainsSubstring("paused by hand until"));
  const std::size_t runs = instance.history("tick").size();
  const json& next = status["next"];
  REQUIRE(eventually([&] { return instance.status("tick")["next"] > next; }));
  CHECK(instance.history("tick").size() == runs);
  const json resumed = instance.json({"resume", "tick"});
  REQUIRE(resumed.size() == 1);
  CHECK(resumed[0]["job"] == "tick");
  CHECK(resumed[0]["state"] != "paused");
  CHECK(succeeds(instance, status["run"]));
  CHECK(instance.lull({"resume", "tick"}).out == "tick: not paused by hand\n");
}

TEST_CASE("pause: of all jobs takes in those that are added later, and ends by itself") {
  Instance instance;
  instance.start_daemon();
  REQUIRE(instance.lull({"pause", "--for", "3s"}).exit_code == 0);
  auto store = lull::store::Store::open_for_reading(instance.path("state") + "/lull.db").value();
  const auto until = store.pauses().at(lull::kAllJobs).until.value();
  instance.job("tick", ticking());
  REQUIRE(has_succeeded(instance, "tick"));
  CHECK(time_of(instance.history("tick").back()["started"]) >= until);
  const json status = instance.status("tick");
  CHECK(status["state"] != "paused");
  CHECK(status["paused_until"].is_null());
  CHECK_THAT(instance.daemon().err(), ContainsSubstring("all jobs the pause by hand has ended"));
  CHECK(eventually([&] { return store.pauses().empty(); }));
}

TEST_CASE("pause: no run starts before the end that status shows") {
  Instance instance;
  instance.job("tick", ticking());
  instance.start_daemon();
  const json paused = instance.json({"pause", "tick", "--for", "4s"});
  REQUIRE(paused.size() == 1);
  const auto until = time_of(paused[0]["paused_until"]);
  const auto since = until - std::chrono::seconds(4);
  const auto after = [&](const json& run) {
    return !run["started"].is_null() && time_of(run["started"]) >= since;
  };
  json runs;
  REQUIRE(eventually([&] {
    runs = instance.history("tick");
    return std::any_of(runs.begin(), runs.end(), after);
  }));
  for (const json& run : runs) {
    if (after(run)) CHECK(time_of(run["started"]) >= until);
  }
}

TEST_CASE("pause: what runs stands still, and goes on when it is resumed") {
  // The second's level moves with the foreground, the first's never.
  const std::string policy = GENERATE("important", "throttle");
  CAPTURE(policy);
  Instance instance;
  instance.job("spin", spinning("[priority]\npolicy = \"" + policy + "\"\n"));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const Going run(instance, "spin");
  REQUIRE(run.goes_on());
  const json paused = instance.json({"pause", "spin", "--for", "2h"});
  CHECK(paused[0]["state"] == "paused");
  CHECK(paused[0]["level"] == "pause");
  CHECK(time_of(paused[0]["paused_until"]) > lull::os::now());
  CHECK(run.comes_to_rest());
  const json because = instance.json({"why", "spin"})["because"];
  CHECK_THAT(because[0].get<std::string>(), ContainsSubstring("paused by hand until "));
  CHECK(because.size() == 1);
  CHECK(instance.lull({"start", "spin"}).exit_code == 1);  // under way
  REQUIRE(instance.lull({"resume"}).exit_code == 0);
  CHECK(run.goes_on());
  CHECK(eventually([&] { return state(instance, "spin") == "running"; }));
  REQUIRE(instance.lull({"stop", "spin"}).exit_code == 0);
  CHECK(times_held(instance, "spin") == 1);
  CHECK(instance.history("spin")[0]["paused_s"] > 0);
}

TEST_CASE("pause: by SIGSTOP where the job asks for that") {
  Instance instance;
  instance.job("spin", spinning("[priority]\npause = \"stop\"\n"));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  Going run(instance, "spin");
  run.by_signals = true;
  REQUIRE(instance.lull({"pause"}).exit_code == 0);
  CHECK(run.comes_to_rest());
  CHECK(instance.history("spin")[0]["levels"].back()["applied"]["pause"] == "SIGSTOP");
  REQUIRE(instance.lull({"resume", "spin"}).exit_code == 1);  // all are paused
  REQUIRE(instance.lull({"resume"}).exit_code == 0);
  CHECK(run.goes_on());
}

TEST_CASE("pause: a run that is never paused goes on, and says why") {
  Instance instance;
  instance.job("spin", spinning("[priority]\npause = \"never\"\n"));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const Going run(instance, "spin");
  const Finished paused = instance.lull({"pause", "spin"});
  CHECK_THAT(paused.out, ContainsSubstring("run 1 of spin goes on"));
  CHECK(run.goes_on());
  CHECK(state(instance, "spin") == "running");
  CHECK_THAT(instance.json({"why", "spin"})["because"].dump(), ContainsSubstring("never paused"));
  CHECK_THAT(instance.history("spin")[0]["levels"].back()["reason"].get<std::string>(),
             ContainsSubstring("paused by hand, but this job is never paused"));
}

TEST_CASE("pause: a run that stands still is stopped at once") {
  Instance instance;
  instance.job("spin", spinning("[limits]\nstop_timeout = \"1h\"\n"));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const Going run(instance, "spin");
  REQUIRE(instance.lull({"pause", "spin"}).exit_code == 0);
  REQUIRE(run.comes_to_rest());
  CHECK(instance.lull({"stop", "spin"}).exit_code == 0);
  CHECK_FALSE(is_alive(run.pid()));
  CHECK(state(instance, "spin") == "paused");
}

TEST_CASE("pause: a run that is started by hand since goes on, until the next pause") {
  Instance instance;
  instance.job("spin", spinning("[schedule]\nevery = \"1s\"\n"));
  instance.start_daemon();
  REQUIRE(instance.lull({"pause"}).exit_code == 0);
  REQUIRE(instance.lull({"stop", "spin"}).exit_code <= 1);  // what had started before
  REQUIRE(waits(instance, "spin"));
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);  // that one
  const Going run(instance, "spin");
  CHECK(run.goes_on());
  CHECK(state(instance, "spin") == "running");
  CHECK_THAT(instance.json({"why", "spin"})["because"].dump(), ContainsSubstring("since"));
  REQUIRE(instance.lull({"pause", "spin"}).exit_code == 0);
  CHECK(run.comes_to_rest());
  CHECK(state(instance, "spin") == "paused");
  CHECK_THAT(instance.lull({"resume", "spin"}).out, ContainsSubstring("with all jobs"));
  CHECK(run.goes_on());
}

TEST_CASE("pause: a run that stands still leaves its place to other jobs") {
  Instance instance;
  instance.settings("max_concurrent = 1\n");
  instance.job("spin", spinning("[schedule]\nevery = \"1s\"\n"));
  instance.start_daemon();
  REQUIRE(eventually([&] { return instance.status("spin").contains("pid"); }));
  instance.job("tick", ticking());
  REQUIRE(eventually([&] {
    const json status = instance.json({"status"});
    return status.size() == 2 && status[1]["state"] == "due";
  }));
  REQUIRE(instance.lull({"pause", "spin"}).exit_code == 0);
  CHECK(has_succeeded(instance, "tick"));
  REQUIRE(instance.lull({"pause", "tick"}).exit_code == 0);
  REQUIRE(instance.lull({"resume", "spin"}).exit_code == 0);
  CHECK(eventually([&] { return state(instance, "spin") == "running"; }));
  REQUIRE(instance.lull({"stop", "spin"}).exit_code == 0);
}

TEST_CASE("pause: survives a supervisor that is killed, for what waits and for what runs") {
  Instance instance;
  instance.job("spin", spinning());
  instance.job("later", spinning());
  instance.job("tick", ticking());
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const Going run(instance, "spin");
  REQUIRE(instance.lull({"pause"}).exit_code == 0);
  REQUIRE(instance.lull({"start", "later"}).exit_code == 0);
  const Going later(instance, "later");
  REQUIRE(run.comes_to_rest());
  REQUIRE(waits(instance, "tick"));
  const std::size_t ticks = instance.history("tick").size();
  const json waiting = instance.status("tick")["run"];
  instance.end_daemon(SIGKILL);
  CHECK(run.goes_on());  // nobody would be there to thaw it
  instance.start_daemon();
  CHECK(run.comes_to_rest());
  CHECK(eventually([&] { return state(instance, "spin") == "paused"; }));
  CHECK(later.goes_on());
  CHECK(state(instance, "later") == "running");
  CHECK(waits(instance, "tick"));
  CHECK(instance.history("tick").size() == ticks);
  CHECK_THAT(instance.daemon().err(), ContainsSubstring("all jobs paused by hand until"));
  REQUIRE(instance.lull({"resume"}).exit_code == 0);
  CHECK(run.goes_on());
  CHECK(succeeds(instance, waiting));
}

TEST_CASE("pause: one whose end came while no supervisor ran is over") {
  Instance instance;
  instance.job("tick", ticking());
  instance.start_daemon();
  const json paused = instance.json({"pause", "tick", "--for", "1s"});
  instance.end_daemon(SIGKILL);
  const auto until = time_of(paused[0]["paused_until"]);
  REQUIRE(eventually([&] { return lull::os::now() > until; }));
  instance.start_daemon();
  CHECK(has_succeeded(instance, "tick"));
  CHECK(state(instance, "tick") != "paused");
}

TEST_CASE("pause: reaches a run that another lull drives, and whoever drives it next") {
  Instance instance;
  instance.job("spin", spinning());
  Child first({lull_program(), "run", "--policy", "throttle", "--", probe(), "stay"},
              instance.environment());
  REQUIRE(eventually([&] { return std::filesystem::exists(instance.path("run/loop.sock")); }));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const Going run(instance, "spin");
  REQUIRE(instance.lull({"pause"}).exit_code == 0);
  CHECK(run.comes_to_rest());
  CHECK(eventually([&] { return state(instance, "spin") == "paused"; }));
  REQUIRE(times_held(instance, "spin") == 1);
  ::kill(first.pid(), SIGKILL);
  first.wait();
  CHECK(eventually([&] { return times_held(instance, "spin") == 2; }));
  CHECK(run.comes_to_rest());
  REQUIRE(instance.lull({"resume"}).exit_code == 0);
  CHECK(run.goes_on());
}

TEST_CASE("pause: what cannot be done is refused with the reason") {
  Instance instance;
  CHECK(instance.lull({"pause"}).exit_code == 3);
  CHECK(instance.lull({"resume"}).exit_code == 3);
  instance.job("backup", ticking());
  instance.start_daemon();
  for (const char* verb : {"pause", "resume"}) {
    const Finished unknown = instance.lull({verb, "nothing"});
    CHECK(unknown.exit_code == 1);
    CHECK_THAT(unknown.err, ContainsSubstring("there is no job nothing"));
  }
  const auto refused = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"pause", "backup"});
    const Finished finished = instance.lull(arguments);
    CHECK(finished.exit_code == 2);
    return finished.err;
  };
  CHECK_FALSE(refused({"--for", "2h", "--until", "14:30"}).empty());
  CHECK_THAT(refused({"--for", "2"}), ContainsSubstring("--for"));
  CHECK_THAT(refused({"--until", "tomorrow"}), ContainsSubstring("14:30"));
  CHECK_THAT(refused({"--until", "2001-01-01T00:00:00Z"}), ContainsSubstring("in the past"));
  CHECK(state(instance, "backup") != "paused");
}
