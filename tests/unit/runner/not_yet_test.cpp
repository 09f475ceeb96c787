#include "runner/supervisor/not_yet.hpp"

#include "tests/support/catch.hpp"

namespace lull::supervisor {
namespace {

TEST_CASE("keys without effect: a plain job has none") {
  CHECK(keys_without_effect(JobSpec()).empty());
}

TEST_CASE("keys without effect: each that is set is named") {
  JobSpec spec;
  spec.limits.retries = 2;
  spec.limits.locks = {"disk"};
  spec.priority.pause = PauseMethod::terminate;
  CHECK(keys_without_effect(spec) ==
        std::vector<std::string>{"retries", "locks", "pause = \"terminate\""});
}

}  // namespace
}  // namespace lull::supervisor
