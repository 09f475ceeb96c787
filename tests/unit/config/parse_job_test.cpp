#include "config/parse_job.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"

#include <chrono>
#include <string>

using namespace lull;
using namespace lull::config;
using namespace std::chrono_literals;

namespace {

JobContext context_of(bool system_instance) {
  JobContext context;
  context.system_instance = system_instance;
  context.home = system_instance ? "/root" : "/home/ana";
  context.user = system_instance ? "root" : "ana";
  return context;
}

JobSpec parse_good(const std::string& text, bool system_instance = false) {
  auto parsed = parse_job(text, "job.toml", "job", context_of(system_instance));
  for (const auto& diagnostic : parsed.diagnostics)
    INFO(to_string(diagnostic));
  REQUIRE(parsed.diagnostics.empty());
  REQUIRE(parsed.value);
  return std::move(parsed.value).value();
}

JobSpec parse_fixture(const std::string& name, bool system_instance = false) {
  return parse_good(tests::read_text_file(tests::fixture("toml/ok/" + name)), system_instance);
}

/// What the example of the specification says.
JobSpec documents_to_the_nas() {
  JobSpec spec;
  spec.name = "job";
  spec.description = "Documents to the NAS";
  spec.what = Command{{"restic", "backup", "/home/ana/Documents"}};
  spec.directory = "/home/ana";
  spec.environment = {{"RESTIC_REPOSITORY", "/mnt/nas/restic"}};
  spec.environment_file = "/home/ana/.config/restic/env";
  spec.user = "ana";
  spec.success_exit_codes = {0};
  spec.pass_environment = {"SSH_AUTH_SOCK"};
  spec.schedule = Schedule{
      {parse_calendar("02:30").value()}, std::nullopt, "Europe/Berlin", 20min, CatchUp::once, 20h};
  spec.when.power = PowerSource::ac;
  spec.when.away = 3min;
  spec.when.network = NetworkNeed::unmetered;
  spec.when.mounted = MountPoint{"/mnt/nas"};
  spec.when.exists = {"/home/ana/Documents"};
  spec.when.hours = Hours{22h, 7h};
  spec.when.check = {"/usr/local/bin/nas-up"};
  spec.when.after = {"prune"};
  return spec;
}

void add_second_half(JobSpec& spec) {
  spec.priority.policy = Policy::throttle;
  spec.priority.levels = {{5, {IoClass::best_effort, 4}},
                          {10, {IoClass::best_effort, 7}},
                          {19, {IoClass::idle, 0}},
                          Pause{},
                          true};
  spec.priority.pause = PauseMethod::freeze;
  spec.priority.max_pause = 4min;
  spec.limits.timeout = 6h;
  spec.limits.stop_timeout = 30s;
  spec.limits.retries = 3;
  spec.limits.retry_delay = 5min;
  spec.limits.locks = {"repo:nas"};
  spec.limits.memory = Bytes{2ULL << 30U};
  spec.limits.log_size = Bytes{10'000'000};
  spec.output = OutputSpec{"/srv/exports/home-{slot}.tar.zst", PublishMode::exclusive, ""};
  spec.notify = {
      {NotifyOn::failure, NotifyOn::overdue}, std::chrono::days(3), "https://hc.example/uuid"};
}

}  // namespace

TEST_CASE("parse_job: reads the example of the specification") {
  auto expected = documents_to_the_nas();
  add_second_half(expected);
  CHECK(parse_fixture("every-key.toml", true) == expected);
}

TEST_CASE("parse_job: one key is enough for a job") {
  JobSpec expected;
  expected.name = "job";
  expected.what = Command{{"true"}};
  CHECK(parse_fixture("smallest.toml") == expected);
}

TEST_CASE("parse_job: reads a script, a grid of uptime and the home folder") {
  const auto spec = parse_fixture("script.toml");
  CHECK(std::get<Script>(spec.what).text ==
        "borg create ::{now} ~/Documents\nborg prune --keep-daily 7\n");
  CHECK(spec.directory == "/home/ana");
  CHECK(spec.success_exit_codes == std::vector<int>{0, 1});
  REQUIRE(spec.schedule);
  CHECK(spec.schedule->every == Every{6h, true});
  CHECK(spec.schedule->at.empty());
}

TEST_CASE("parse_job: expands ~/ in the program and in paths, never in arguments") {
  const auto spec = parse_fixture("other-forms.toml");
  CHECK(std::get<Command>(spec.what).argv ==
        std::vector<std::string>{"/home/ana/bin/sync", "~/not-a-path", ""});
  CHECK(spec.when.exists == std::vector<std::string>{"/home/ana/a", "/home/ana/b"});
  REQUIRE(spec.output);
  CHECK(spec.output == OutputSpec{"/home/ana/out/{job}-{date}-{run}", PublishMode::exchange,
                                  "/home/ana/out/previous"});
}

TEST_CASE("parse_job: reads every alternative form") {
  const auto spec = parse_fixture("other-forms.toml");
  CHECK_FALSE(spec.enabled);
  REQUIRE(spec.schedule);
  CHECK(spec.schedule->at.size() == 3);
  CHECK(spec.schedule->catch_up == CatchUp::skip);
  CHECK(std::get<BatteryAbove>(spec.when.power).percent == 40);
  CHECK(spec.when.network == NetworkNeed::up);
  CHECK(std::get<VolumeUuid>(*spec.when.mounted).uuid == "0a1b2c3d-0123-4567-89ab-0123456789ab");
  CHECK(spec.when.hours == Hours{7h, 24h});
  CHECK(spec.when.lost == GateLost::pause);
  CHECK(spec.priority.pause == PauseMethod::terminate);
  CHECK(spec.limits.overlap == Overlap::queue);
  CHECK(spec.notify.on == std::vector<NotifyOn>{NotifyOn::success});
}

TEST_CASE("parse_job: what a level leaves out comes from the policy") {
  const auto levels = parse_fixture("other-forms.toml").priority.levels;
  CHECK(levels.idle == Level{3, {IoClass::best_effort, 4}});
  CHECK(levels.light == levels_of(Policy::standard).light);
  CHECK(levels.busy == Level{5, {}});
  CHECK(std::get<Level>(levels.strained) == Level{19, {IoClass::idle, 0}});
}

TEST_CASE("parse_job: a strained level over a policy that pauses builds on busy") {
  const auto spec = parse_good("command = ['true']\n[priority]\nstrained = { nice = 18 }\n");
  CHECK(std::get<Level>(spec.priority.levels.strained) == Level{18, {IoClass::idle, 0}});
}

TEST_CASE("parse_job: passive takes its one level as written") {
  const auto spec =
      parse_good("command = ['true']\n[priority]\npolicy = 'passive'\nlight = { nice = 7 }\n");
  const Level level{7, {IoClass::best_effort, 4}};
  CHECK(spec.priority.levels == LevelTable{level, level, level, level, false});
}

TEST_CASE("parse_job: the instance's own user is no user") {
  CHECK(parse_good("command = ['true']\nuser = 'ana'\n").user.empty());
  CHECK(parse_good("command = ['true']\nuser = 'root'\n", true).user.empty());
  CHECK(parse_good("command = ['true']\nuser = 'ana'\n", true).user == "ana");
}

TEST_CASE("parse_job: a job without a schedule may wait for others") {
  const auto spec = parse_good("command = ['true']\n[when]\nafter = ['prune', 'copy']\n");
  CHECK_FALSE(spec.schedule);
  CHECK(spec.when.after == std::vector<std::string>{"prune", "copy"});
}

TEST_CASE("parse_job: a byte order mark and Windows line ends do no harm") {
  CHECK(std::get<Command>(parse_good("\xef\xbb\xbf"
                                     "command = ['true']\r\n[limits]\r\nretries = 1\r\n")
                              .what) == Command{{"true"}});
}
