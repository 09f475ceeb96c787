#include "runner/supervisor/asker.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/one_run.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/turn.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

using namespace lull;
using namespace lull::supervisor;
using namespace lull::tests;

namespace {

/// Asks for one run of a job.
struct Asking {
  TempFolder folder;
  os::RunFiles files = os::RunFiles::open(folder.path()).value();
  Launcher launcher = Launcher::make(files, folder.path("logs")).value();
  boost::asio::io_context loop;
  int answers = 0;
  Asker asker{loop.get_executor(), launcher, files, [this] { ++answers; }};
  JobSpec spec = probe_job({"exit", "0"});
  RunRecord run;

  Asking() {
    run.id = 1;
    run.job = spec.name = "backup";
    std::filesystem::create_directory(folder.path("logs"));
  }
  /// A program that writes down that it was run, and its exit code.
  [[nodiscard]] std::vector<std::string> program(int exit_code) const {
    return {"/bin/sh", "-c",
            "echo >> '" + folder.path("times") + "'; exit " + std::to_string(exit_code)};
  }
  [[nodiscard]] long times() const {
    const std::string text = slurp(folder.path("times"));
    return std::count(text.begin(), text.end(), '\n');
  }
  std::optional<Ending> answer(const std::vector<std::string>& argv) {
    const int before = answers;
    auto answer = asker.ask(spec, run, argv);
    if (answer.ending && answer.holds > Duration(0)) return answer.ending;
    REQUIRE(turn_until(
        loop, [&] { return answers > before; }, std::chrono::seconds(60)));
    return asker.ask(spec, run, argv).ending;
  }
};

}  // namespace

TEST_CASE("asker: an answer holds for a while, for its run alone") {
  Asking it;
  const auto go = it.answer(it.program(0));
  REQUIRE(go);
  CHECK(go->exit_code == 0);
  CHECK(it.answer(it.program(0)));
  CHECK(it.times() == 1);
  it.run.id = 2;
  CHECK(it.answer(it.program(0)));
  CHECK(it.times() == 2);
  CHECK(it.files.list().empty());  // what the keepers left is cleared away
}

TEST_CASE("asker: what is not asked any more, or was before a sleep, is asked anew") {
  Asking it;
  REQUIRE(it.answer(it.program(75)));
  it.asker.drop_unasked();
  CHECK(it.answer(it.program(75)));
  CHECK(it.times() == 1);
  it.asker.drop_unasked();
  it.asker.drop_unasked();
  CHECK(it.answer(it.program(75))->exit_code == 75);
  CHECK(it.times() == 2);
  it.asker.forget_answers();
  CHECK(it.answer(it.program(75)));
  CHECK(it.times() == 3);
}

TEST_CASE("asker: a program that is not there is an answer too") {
  Asking it;
  const auto ending = it.answer({"/no/such/program"});
  REQUIRE(ending);
  CHECK(ending->outcome == Outcome::spawn_failed);
}
