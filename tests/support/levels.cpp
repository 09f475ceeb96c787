#include "tests/support/levels.hpp"

#include "jobs/decide.hpp"
#include "jobs/knobs.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/machine_facts.hpp"

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

int light_nice_here(Policy policy) {
  const LevelTable levels = levels_of(policy);
  const auto facts = os::read_machine_facts("", os::own_permissions());
  return nice_at_start(levels, levels.light, capabilities(facts));
}

}  // namespace lull::tests
