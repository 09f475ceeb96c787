#include "config/parse_job.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"

#include <string>

using namespace lull;
using namespace lull::config;

namespace {

JobContext system_context() {
  JobContext context;
  context.system_instance = true;
  context.home = "/root";
  context.user = "root";
  return context;
}

JobContext user_context() {
  JobContext context;
  context.home = "/home/ana";
  context.user = "ana";
  context.lowest_nice = 0;
  context.realtime_io = false;
  return context;
}

std::string lines(const std::vector<Diagnostic>& diagnostics) {
  std::string all;
  for (const auto& diagnostic : diagnostics)
    all += to_string(diagnostic) + '\n';
  return all;
}

std::string errors_of(const std::string& text, const JobContext& context) {
  return lines(parse_job(text, "job", "job", context).diagnostics);
}

}  // namespace

TEST_CASE("parse_job: reports every error of a file at once, with its place and the remedy") {
  const auto files = tests::fixtures("toml/bad", ".toml");
  REQUIRE_FALSE(files.empty());
  for (auto path : files) {
    INFO(path.string());
    const auto parsed = parse_job(tests::read_text_file(path), "job", "job", system_context());
    CHECK_FALSE(parsed.value);
    CHECK(lines(parsed.diagnostics) == tests::read_text_file(path.replace_extension(".expected")));
  }
}

TEST_CASE("parse_job: refuses in the user's instance what only the system's may do") {
  CHECK(errors_of("command = ['true']\nuser = 'bob'\n", user_context()) ==
        "job:2:8: error: 'user' is \"bob\", and only the system instance may run jobs as another "
        "user: remove it, or put the job into /etc/lull/jobs\n");
  CHECK(errors_of("command = ['true']\n[priority]\nidle = { nice = -5, io = 'realtime:4' }\n",
                  user_context()) ==
        "job:3:17: error: 'priority.idle.nice' is -5, and this instance may set no less than 0: "
        "write 0 or more, or allow it with LimitNICE=-5 (RLIMIT_NICE) or the system instance\n"
        "job:3:26: error: 'priority.idle.io' is \"realtime:4\", which this instance may not set: "
        "write \"best-effort:0\", or use the system instance (it needs CAP_SYS_NICE)\n");
  CHECK(errors_of("command = ['true']\nuser = 'ana'\n", user_context()).empty());
  CHECK(errors_of("command = ['true']\n[priority]\nidle = { nice = -5, io = 'realtime:4' }\n",
                  system_context())
            .empty());
}

TEST_CASE("parse_job: does not guess whose home a ~ is") {
  CHECK(errors_of("command = ['true']\nuser = 'ana'\ndirectory = '~/x'\n", system_context()) ==
        "job:3:13: error: 'directory' has a ~, and whose home that is is not known here: write "
        "the absolute path\n");
}

TEST_CASE("parse_job: tells where a key belongs that stands in another table") {
  CHECK(errors_of("command = ['true']\n[notify]\nenabled = true\n[limits]\nat = 'daily'\n",
                  user_context()) ==
        "job:3:1: error: unknown key 'enabled' in [notify]: write 'enabled' above the first "
        "[table]\n"
        "job:5:1: error: unknown key 'at' in [limits]: write 'at' in [schedule]\n");
}

TEST_CASE("parse_job: shows neither the environment's values nor the ping address nor argv") {
  const auto errors = errors_of(
      "command = ['x', '--password=hunter2\\u0000', 5]\n"
      "environment = { A = \"hunter2\\u0000\", \"B=hunter2\" = 'x', C = ['hunter2'] }\n"
      "[notify]\nping = 'htps://hunter2'\n",
      user_context());
  CHECK_THAT(errors, ContainsSubstring("'environment'"));
  CHECK(errors.find("hunter2") == std::string::npos);
}

TEST_CASE("parse_job: contradictions between pausing and never pausing are errors") {
  CHECK(errors_of("command = ['true']\n[priority]\nstrained = 'pause'\npause = 'never'\n",
                  user_context()) ==
        "job:3:12: error: 'priority.strained' is \"pause\" and 'pause' is \"never\": write a level "
        "here, or another way to pause\n");
  CHECK(errors_of("command = ['true']\n[priority]\npause = 'never'\n", user_context()).empty());
}

TEST_CASE("parse_job: long and hostile texts are cut and made harmless") {
  const std::string flood(100'000, 'x');
  const auto errors = errors_of(
      "command = ['true']\n[schedule]\nat = \"\\u001b[31m" + flood + "\"\n", user_context());
  CHECK(errors.size() < 1000);
  CHECK(errors.find('\x1b') == std::string::npos);
}

TEST_CASE("parse_job: a file full of errors shows the first two hundred") {
  std::string text = "command = ['true']\n";
  for (int i = 0; i < 20'000; ++i)
    text += "key" + std::to_string(i) + " = 1\n";
  CHECK(parse_job(text, "job", "job", user_context()).diagnostics.size() == 200);
}
