// What becomes of slots that passed while nobody was there.
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <chrono>
#include <string>

using namespace lull::tests;
using nlohmann::json;

TEST_CASE(
    "catch-up: what was missed is started when the machine has settled, one job at a time and the "
    "oldest deadline first") {
  using std::chrono::minutes;
  Instance instance;
  instance.settings("settle = \"4000d\"\n");  // this machine is not on for as long
  const std::string ledger = instance.path("ledger");
  const auto add = [&](const std::string& name, const std::string& deadline) {
    instance.job(name, "script = \"echo " + name + " >> '" + ledger + "'; sleep 0.3; echo - >> '" +
                           ledger + "'\"\n[schedule]\nevery = \"1h\"\n" + deadline);
  };
  add("a", "");
  add("b", "deadline = \"30h\"\n");
  add("c", "deadline = \"20h\"\n");
  add("d", "deadline = \"40h\"\n");
  instance.was_off({"a", "b", "c", "d"}, minutes(150));
  instance.start_daemon();
  REQUIRE(eventually([&] { return instance.status("a")["state"] == "due"; }));
  const json waiting = instance.status("a")["waiting"];
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0]["gate"] == "settle");
  CHECK_THAT(instance.json({"why", "a"})["because"].dump(), ContainsSubstring("settle: "));
  // By hand it need not wait, and then its slot is dealt with.
  CHECK(instance.lull({"start", "d", "--wait"}).exit_code == 0);
  CHECK(instance.status("d")["state"] == "idle");

  instance.settings("settle = \"1s\"\n");
  REQUIRE(instance.lull({"reload"}).exit_code == 0);
  for (const char* name : {"a", "b", "c", "d"}) {
    const json runs = instance.ended_runs(name, 1);
    REQUIRE(runs.size() == 1);
    CHECK(runs[0]["trigger"] == (std::string(name) == "d" ? "manual" : "catch-up"));
  }
  CHECK(slurp(ledger) == "d\n-\nc\n-\nb\n-\na\n-\n");
}

TEST_CASE("catch-up: a success by hand since then stands for what was missed, a failure does not") {
  Instance instance;
  instance.settings("settle = \"0s\"\n");
  const std::string good = GENERATE(as<std::string>{}, "/bin/true", "/bin/false");
  instance.job("job", "command = [\"" + good + "\"]\n[schedule]\nevery = \"1h\"\n");
  instance.was_off({"job"}, std::chrono::minutes(90));
  CHECK(instance.lull({"run", "--job", instance.path("config/jobs/job.toml")}).exit_code ==
        (good == "/bin/true" ? 0 : 1));
  instance.start_daemon();
  if (good == "/bin/true") {
    REQUIRE(eventually([&] { return !instance.status("job")["next"].is_null(); }));
    CHECK(instance.history("job").size() == 1);
  } else {
    CHECK(instance.ended_runs("job", 2)[0]["trigger"] == "catch-up");
  }
}
