#include "runner/os/run_file.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <string>
#include <string_view>

using namespace lull;
using namespace lull::os;

namespace {

constexpr std::string_view kWhole =
    "lull-run 1\nboot 0f1e\nkeeper 41 777\n"
    "outcome failed\nexit_code 3\nstarted_us 5\nended_us 9\nleft_behind 2\nunkillable 0\n"
    "dropped_bytes 0\ncpu_us 4\nread_bytes 512\nwritten_bytes 1024\nend\n";
constexpr std::string_view kClaim = kWhole.substr(0, kWhole.find("outcome"));
constexpr std::string_view kOutcome = kWhole.substr(kClaim.size());

}  // namespace

TEST_CASE("run file: a claim names its keeper, and there is no outcome yet") {
  const auto run = parse_run_file(kClaim);
  REQUIRE(run.has_value());
  CHECK(run->keeper == ProcessIdentity{41, 777, "0f1e"});
  CHECK_FALSE(run->outcome.has_value());
}

TEST_CASE("run file: with its last line the outcome counts") {
  const auto run = parse_run_file(kWhole);
  REQUIRE(run.has_value());
  REQUIRE(run->outcome.has_value());
  CHECK(run->outcome->started == TimePoint(Duration(5)));
  const Ending& ending = run->outcome->ending;
  CHECK(ending.outcome == Outcome::failed);
  CHECK(ending.exit_code == 3);
  CHECK_FALSE(ending.signal);
  CHECK(ending.at == TimePoint(Duration(9)));
  CHECK(ending.usage.read == Bytes{512});
  CHECK(ending.detail == "2 left-over processes ended");
}

TEST_CASE("run file: cut anywhere it is an error or a claim alone, never half an outcome") {
  for (std::size_t size = 0; size < kWhole.size(); ++size) {
    INFO("the first " << size << " bytes");
    const auto run = parse_run_file(kWhole.substr(0, size));
    CHECK(static_cast<bool>(run) == (size >= kClaim.size()));
    if (run) CHECK_FALSE(run->outcome.has_value());
  }
}

TEST_CASE("run file: unknown keys are no error, what is no run's file is") {
  CHECK(parse_run_file(std::string(kClaim) + "colour blue\n" + std::string(kOutcome))
            ->outcome.has_value());
  for (const char* text : {"", "lull-run 2\nboot a\nkeeper 1 2\n", "lull-run 1\nnonsense\n",
                           "lull-run 1\nboot a\nkeeper one 2\n", "lull-run 1\nboot a\nkeeper 1\n",
                           "lull-run 1\nboot a\nkeeper 1 2\noutcome great\nend\n",
                           "lull-run 1\nboot a\nkeeper 1 2\nend\n"}) {
    INFO(text);
    CHECK(parse_run_file(text).has_error());
  }
}

TEST_CASE("run file: a run without a keeper's word was interrupted, and why is said") {
  const tests::TempFolder folder;
  const RunFiles files = RunFiles::open(folder.path()).value();
  folder.write("runs/1", std::string(kWhole));
  folder.write("runs/2", std::string(kClaim));
  folder.write("runs/3", "lull-run 1\n");
  CHECK(files.ending_of(1).outcome == Outcome::failed);
  CHECK(files.ending_of(2).outcome == Outcome::interrupted);
  CHECK(files.ending_of(2).detail == "its keeper ended without an outcome");
  CHECK(files.ending_of(3).outcome == Outcome::interrupted);
  CHECK_THAT(files.ending_of(3).detail, ContainsSubstring(files.path(3)));
  CHECK(files.ending_of(4).outcome == Outcome::interrupted);
}
