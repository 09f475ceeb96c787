#include "jobs/wakes.hpp"

#include <chrono>

namespace lull {
namespace {

/// The two clocks are not read at one instant; no sleep is as short.
constexpr Duration kShortestSleep = std::chrono::milliseconds(100);

}  // namespace

bool Wakes::look(const Uptime& now) {
  const Duration asleep = now.since_boot - now.awake;
  if (asleep - asleep_ < kShortestSleep) return false;
  asleep_ = asleep;
  woke_ = now.since_boot;
  return true;
}

}  // namespace lull
