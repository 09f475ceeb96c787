// `lull why` in every state that a job can be in.
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>

using namespace lull::tests;

namespace {

constexpr int kLinesOfAScreen = 24;

/// What is answered to somebody who asks at a terminal.
std::string why(const Instance& instance, const std::string& job) {
  const Finished asked = instance.lull({"why", job});
  CHECK(asked.exit_code == 0);
  CHECK(asked.err.empty());
  CHECK(std::count(asked.out.begin(), asked.out.end(), '\n') <= kLinesOfAScreen);
  return asked.out;
}

/// Waits until the job is in that state, and then for an answer that says so and why.
void check_why(const Instance& instance, const std::string& job, const std::string& state,
               const std::string& reason) {
  INFO(job);
  REQUIRE(eventually([&] { return instance.status(job)["state"] == state; }));
  INFO(why(instance, job));
  CHECK(eventually([&] {
    const std::string answer = why(instance, job);
    return answer.find(state) != std::string::npos && answer.find(reason) != std::string::npos;
  }));
}

}  // namespace

TEST_CASE("why: answers on one screen whatever state a job is in") {
  Instance instance;
  instance.settings("settle = \"0s\"\nmax_concurrent = 1\n");
  const std::string command = "command = [\"/bin/true\"]\n";
  const std::string endless = "command = [\"/bin/sleep\", \"1000\"]\n";
  const std::string slots = "[schedule]\nevery = \"1h\"\n";
  instance.job("planned", command + slots);
  instance.job("over", command + "[schedule]\nat = \"2020-01-01\"\n");
  instance.job("by-hand", command);
  instance.job("follower", command + "[when]\nafter = [\"planned\", \"by-hand\"]\n");
  instance.job("boot", command + "[schedule]\nat = \"@reboot\"\n");
  instance.job("disabled", command + "enabled = false\n" + slots);
  instance.job("broken", "command = 3\n");
  instance.job("held", command + slots + "[when]\nexists = \"/no/such/thing\"\n");
  instance.job("running", endless + slots);
  instance.job("paused", command + slots);
  instance.job("paused-running", endless);
  instance.was_off({"held", "running"}, std::chrono::minutes(90));
  instance.start_daemon();

  check_why(instance, "planned", "idle", "its next slot is ");
  check_why(instance, "over", "idle", "its schedule has no slot any more");
  check_why(instance, "by-hand", "idle", "it has no schedule: start it with `lull start by-hand`");
  check_why(instance, "follower", "idle", "it starts when planned, by-hand have succeeded");
  check_why(instance, "boot", "idle", "it runs once after each boot");
  check_why(instance, "disabled", "disabled", "enabled = false in its file");
  check_why(instance, "broken", "broken", "its file has errors: see `lull check`");
  check_why(instance, "held", "due", "exists: there is no /no/such/thing");
  check_why(instance, "running", "running", "its policy has one level");

  // Another is due while that one has the only place.
  instance.end_daemon(SIGKILL);
  instance.job("in-turn", command + slots);
  instance.was_off({"in-turn"}, std::chrono::minutes(90));
  instance.start_daemon();
  check_why(instance, "in-turn", "due", "other jobs");

  REQUIRE(instance.lull({"pause", "paused", "--for", "1h"}).exit_code == 0);
  check_why(instance, "paused", "paused", "paused by hand until ");
  REQUIRE(instance.lull({"start", "paused-running"}).exit_code == 0);
  check_why(instance, "paused-running", "running", "its policy has one level");
  REQUIRE(instance.lull({"pause", "paused-running"}).exit_code == 0);
  check_why(instance, "paused-running", "paused", "paused by hand");
  REQUIRE(instance.lull({"pause", "held"}).exit_code == 0);
  check_why(instance, "held", "paused", "paused by hand until `lull resume`");
  for (const char* job : {"running", "paused-running"})
    CHECK(instance.lull({"stop", job}).exit_code == 0);
}

TEST_CASE("why: names what a missed slot waits for after a boot, and what a program said") {
  Instance instance;
  instance.settings("settle = \"400d\"\n");
  const std::string job = "command = [\"/bin/true\"]\n[schedule]\nevery = \"1h\"\n";
  instance.job("missed", job);
  instance.was_off({"missed"}, std::chrono::minutes(90));
  instance.start_daemon();
  check_why(instance, "missed", "due", "settle: the machine was started or resumed just now");
  instance.end_daemon(SIGKILL);

  instance.settings("settle = \"0s\"\n");
  instance.job("missed", job + "[when]\ncheck = [\"/bin/sh\", \"-c\", \"exit 75\"]\n");
  instance.start_daemon();
  check_why(instance, "missed", "due", "check: /bin/sh exited with 75: not now");
}

TEST_CASE("why: a job whose file went bad keeps its last good definition, and says what is wrong") {
  Instance instance;
  instance.job("backup", "command = [\"/bin/true\"]\n[schedule]\nevery = \"1h\"\n");
  instance.start_daemon();
  check_why(instance, "backup", "idle", "its next slot is ");
  instance.job("backup", "command = 3\n");
  REQUIRE(instance.lull({"reload"}).exit_code == 0);
  check_why(instance, "backup", "idle", "its next slot is ");
  CHECK(instance.status("backup")["problems"].size() == 1);
}

TEST_CASE("why: a due run whose job is removed or disabled is over, and its end says so") {
  Instance instance;
  instance.settings("settle = \"0s\"\n");
  const std::string job =
      "command = [\"/bin/true\"]\n[schedule]\nevery = \"1h\"\n"
      "[when]\nexists = \"/no/such/thing\"\n";
  instance.job("backup", job);
  instance.was_off({"backup"}, std::chrono::minutes(90));
  instance.start_daemon();
  check_why(instance, "backup", "due", "exists: there is no /no/such/thing");
  const bool restarts = GENERATE(false, true);
  if (restarts) instance.end_daemon(SIGKILL);
  SECTION("disabled") {
    instance.job("backup", "enabled = false\n" + job);
    if (restarts) instance.start_daemon();
    CHECK(instance.ended_runs("backup", 1)[0]["detail"] == "its job is disabled");
  }
  SECTION("removed") {
    std::filesystem::remove(instance.path("config/jobs/backup.toml"));
    if (restarts) instance.start_daemon();
    CHECK(instance.ended_runs("backup", 1)[0]["detail"] == "its job is gone");
  }
}
