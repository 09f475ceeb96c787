#include "config/settings.hpp"

#include "tests/support/catch.hpp"

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

std::string lines(const std::vector<Diagnostic>& diagnostics) {
  std::string all;
  for (const auto& diagnostic : diagnostics)
    all += to_string(diagnostic) + '\n';
  return all;
}

Settings settings_of(const std::string& text, bool system_instance = false) {
  auto parsed = parse_settings(text, "lull.toml", context_of(system_instance));
  INFO(lines(parsed.diagnostics));
  CHECK(parsed.diagnostics.empty());
  return parsed.value.value();
}

Parsed<JobSpec> job_under(const Settings& settings, const std::string& text,
                          bool system_instance = false) {
  return parse_job(text, "job.toml", "job", context_of(system_instance), settings.defaults);
}

JobSpec good_job_under(const Settings& settings, const std::string& text,
                       bool system_instance = false) {
  auto parsed = job_under(settings, text, system_instance);
  INFO(lines(parsed.diagnostics));
  CHECK(parsed.diagnostics.empty());
  REQUIRE(parsed.value);
  return std::move(parsed.value).value();
}

}  // namespace

TEST_CASE("parse_settings: an empty file gives what the specification says") {
  const auto settings = settings_of("");
  CHECK(settings.settle == 2min);
  CHECK(settings.max_concurrent == 4);
  CHECK(settings.catch_up_concurrent == 1);
  CHECK(settings.history_keep == std::chrono::days(400));
  CHECK_FALSE(settings.ceiling);
  CHECK(settings.complete);
}

TEST_CASE("parse_settings: reads every key") {
  const auto settings = settings_of(
      "settle = '0s'\nmax_concurrent = 8\ncatch_up_concurrent = 2\nhistory_keep = '30d'\n"
      "[ceiling]\nnice = 0\nio = 'best-effort:0'\n",
      true);
  CHECK(settings.settle == 0s);
  CHECK(settings.max_concurrent == 8);
  CHECK(settings.catch_up_concurrent == 2);
  CHECK(settings.history_keep == std::chrono::days(30));
  CHECK(settings.ceiling == Level{0, {IoClass::best_effort, 0}});
}

TEST_CASE("parse_settings: a ceiling caps only what it names") {
  CHECK(settings_of("[ceiling]\nnice = 5\n", true).ceiling == Level{5, {IoClass::realtime, 0}});
  CHECK(settings_of("[ceiling]\nio = 'idle'\n", true).ceiling == Level{-20, {IoClass::idle, 0}});
}

TEST_CASE("parse_settings: reports every error and keeps what is right") {
  const auto parsed = parse_settings(
      "settle = 2\n"
      "max_concurent = 3\n"
      "catch_up_concurrent = 3\n"
      "history_keep = '0s'\n"
      "[ceiling]\n"
      "nice = -30\n"
      "io = 'best-effort:9'\n"
      "[defaults]\n"
      "user = 3\n"
      "[defaults.limits]\n"
      "timeout = '6'\n"
      "[defaults.limit]\n"
      "[foregroound]\n",
      "lull.toml", context_of(true));
  CHECK(lines(parsed.diagnostics) ==
        "lull.toml:1:10: error: 'settle': \"2\" has no unit: write \"2s\", \"2min\" or \"2h\"\n"
        "lull.toml:2:1: error: unknown key 'max_concurent': write 'max_concurrent'\n"
        "lull.toml:4:16: error: 'history_keep' is zero: leave it out, or write \"1h\" or more\n"
        "lull.toml:6:8: error: 'ceiling.nice' is -30: write a whole number from -20 to 19\n"
        "lull.toml:7:6: error: 'ceiling.io': \"best-effort:9\" has no level from 0 (first) to 7 "
        "(last): write \"best-effort:4\"\n"
        "lull.toml:9:8: error: 'defaults.user' is a bare number: write a string, such as "
        "\"ana\"\n"
        "lull.toml:11:11: error: 'defaults.limits.timeout': \"6\" has no unit: write \"6s\", "
        "\"6min\" or \"6h\"\n"
        "lull.toml:12:11: error: unknown table 'limit' in [defaults]: write 'limits'\n"
        "lull.toml:13:2: error: unknown table 'foregroound': write 'foreground'\n");
  REQUIRE(parsed.value);
  CHECK(parsed.value->settle == 2min);
  CHECK(parsed.value->catch_up_concurrent == 3);
  CHECK(parsed.value->ceiling == Level{0, {IoClass::best_effort, 0}});
  CHECK(parsed.value->complete);
}

TEST_CASE("parse_settings: a threshold takes the one for leaving its state along") {
  const auto settings =
      settings_of("[foreground]\nbusy_cpu = '50%'\nstrained = '20%'\nrelieved = '1%'\n", false);
  CHECK(settings.foreground.busy_cpu == Approx(0.5));
  CHECK(settings.foreground.calm_cpu == Approx(0.3));
  CHECK(settings.foreground.strained == Approx(0.2));
  CHECK(settings.foreground.relieved == Approx(0.01));
  CHECK(settings.foreground.busy_io == Approx(0.1));
}

TEST_CASE("parse_settings: thresholds that make no sense are errors and stay as they were") {
  const auto parsed = parse_settings(
      "[foreground]\nbusy_cpu = 0.5\ncalm_cpu = '80%'\nbusy_io = 'much'\nlight_after = '1ms'\n",
      "lull.toml", context_of(false));
  CHECK(
      lines(parsed.diagnostics) ==
      "lull.toml:2:12: error: 'foreground.busy_cpu' is a bare number with a fraction: write a "
      "string, such as \"25%\"\n"
      "lull.toml:3:12: error: 'foreground.calm_cpu' is more than 'busy_cpu': write less than that\n"
      "lull.toml:4:11: error: 'foreground.busy_io': \"much\" is no share: write a whole number and "
      "%, such as \"25%\"\n"
      "lull.toml:5:15: error: 'foreground.light_after' is too short: write \"100ms\" or more\n");
  CHECK(parsed.value->foreground == ForegroundSettings{});
}

TEST_CASE("parse_settings: what is no TOML leaves the settings incomplete") {
  const auto parsed =
      parse_settings("max_concurrent = 2\nsettle = 5min\n", "lull.toml", context_of(false));
  CHECK(parsed.diagnostics.size() == 1);
  CHECK(parsed.value->max_concurrent == 2);
  CHECK_FALSE(parsed.value->complete);
}

TEST_CASE("parse_settings: a ceiling is refused outside the system instance") {
  const auto parsed = parse_settings("[ceiling]\nnice = 0\n", "lull.toml", context_of(false));
  CHECK(lines(parsed.diagnostics) ==
        "lull.toml:1:1: error: [ceiling] is for the system instance, and a user's jobs have the "
        "kernel's limits already: remove it\n");
}

TEST_CASE("defaults: are merged per key, the job's own value wins") {
  const auto settings = settings_of(
      "[defaults]\nenvironment = { A = 'default', B = 'default' }\n"
      "[defaults.limits]\ntimeout = '6h'\nretries = 2\n");
  const auto spec = good_job_under(settings,
                                   "command = ['true']\nenvironment = { A = 'own' }\n"
                                   "[limits]\nretries = 5\n");
  CHECK(spec.limits.timeout == Duration(6h));
  CHECK(spec.limits.retries == 5);
  CHECK(spec.environment == std::map<std::string, std::string>{{"A", "own"}, {"B", "default"}});
}

TEST_CASE("defaults: the job's own alternative pushes the default one aside") {
  const auto settings =
      settings_of("[defaults]\ncommand = ['default']\n[defaults.schedule]\nat = 'daily'\n");
  const auto spec = good_job_under(settings, "script = 'own'\n[schedule]\nevery = '1h'\n");
  CHECK(std::holds_alternative<Script>(spec.what));
  CHECK(spec.schedule->at.empty());
  CHECK(spec.schedule->every == Every{1h, false});
  const auto bare = good_job_under(settings, "");
  CHECK(std::get<Command>(bare.what).argv.front() == "default");
  CHECK(bare.schedule->at.size() == 1);
}

TEST_CASE("defaults: give no schedule and no output to a job that has none") {
  const auto settings = settings_of(
      "[defaults.schedule]\njitter = '1h'\ntimezone = 'UTC'\n[defaults.output]\nmode = 'exchange'\n"
      "keep = '/srv/old'\n");
  const auto bare = good_job_under(settings, "command = ['true']\n");
  CHECK_FALSE(bare.schedule);
  CHECK_FALSE(bare.output);
  const auto spec = good_job_under(
      settings, "command = ['true']\n[schedule]\nat = 'daily'\n[output]\npublish = '/srv/new'\n");
  CHECK(spec.schedule->jitter == Duration(1h));
  CHECK(spec.schedule->timezone == "UTC");
  CHECK(spec.output == OutputSpec{"/srv/new", PublishMode::exchange, "/srv/old"});
  const auto other = good_job_under(
      settings, "command = ['true']\n[output]\npublish = '/srv/new'\nmode = 'replace'\n");
  CHECK(other.output == OutputSpec{"/srv/new", PublishMode::replace, ""});
}

TEST_CASE("defaults: a job's own policy takes no level that was written for another") {
  const auto settings =
      settings_of("[defaults.priority]\npolicy = 'utility'\nlight = { nice = 12 }\n");
  CHECK(good_job_under(settings, "command = ['true']\n").priority.levels.light ==
        Level{12, {IoClass::best_effort, 6}});
  CHECK(good_job_under(settings, "command = ['true']\n[priority]\npolicy = 'important'\n")
            .priority.levels == levels_of(Policy::important));
}

TEST_CASE("defaults: a job that would get a wrong one says where to look, once") {
  const auto parsed =
      parse_settings("[defaults]\nuser = 3\n[defaults.limits]\nlocks = ['A', 'B']\n", "lull.toml",
                     context_of(true));
  CHECK(parsed.diagnostics.size() == 3);
  CHECK(lines(job_under(parsed.value.value(), "command = ['true']\n", true).diagnostics) ==
        "job.toml:1:1: error: 'user' comes from [defaults] of lull.toml, where it is wrong: mend "
        "it there or write it here\n"
        "job.toml:1:1: error: 'limits.locks' comes from [defaults] of lull.toml, where it is "
        "wrong: mend it there or write it here\n");
  CHECK(job_under(parsed.value.value(),
                  "command = ['true']\nuser = 'ana'\n[limits]\nlocks = ['a']\n", true)
            .diagnostics.empty());
}

TEST_CASE("defaults: asking for overdue by default needs an age in each job") {
  const auto settings = settings_of("[defaults.notify]\non = ['overdue']\n");
  CHECK(lines(job_under(settings, "command = ['true']\n").diagnostics) ==
        "job.toml:1:1: error: 'notify.on' asks for \"overdue\" and 'overdue_after' is missing: "
        "write for example overdue_after = \"3d\"\n");
  CHECK(
      good_job_under(settings, "command = ['true']\n[notify]\noverdue_after = '2d'\n").notify.on ==
      std::vector<NotifyOn>{NotifyOn::overdue});
}
