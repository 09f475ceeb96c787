#include "tests/support/levels.hpp"

#include "runner/os/machine.hpp"

namespace lull::tests {

std::vector<Level> levels_we_may_have() {
  std::vector<Level> levels;
  for (int nice = os::lowest_nice(); nice <= 19; ++nice) {
    levels.push_back({nice, {IoClass::best_effort, 4}});
  }
  for (int level = 0; level < 8; ++level) {
    levels.push_back({10, {IoClass::best_effort, level}});
    if (os::may_use_realtime_io()) levels.push_back({10, {IoClass::realtime, level}});
  }
  levels.push_back({10, {IoClass::idle, 0}});
  levels.push_back({10, {IoClass::none, 0}});
  return levels;
}

}  // namespace lull::tests
