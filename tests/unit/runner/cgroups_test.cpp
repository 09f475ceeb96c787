#include "runner/os/cgroups.hpp"

#include "tests/support/catch.hpp"

namespace lull::os {
namespace {

TEST_CASE("cgroups: the weight of nice 0 is the default, of 19 the least") {
  CHECK(cpu_weight_of_nice(0) == 100);
  CHECK(cpu_weight_of_nice(19) == 1);
  CHECK(cpu_weight_of_nice(-20) == 8668);
}

}  // namespace
}  // namespace lull::os
