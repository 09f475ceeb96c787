#pragma once

#include <chrono>
#include <thread>

namespace lull::tests {

/// Long enough for a slow, busy machine; a test that passes never waits so long.
inline constexpr std::chrono::seconds kDeadline{60};

/// Looks until `condition` holds; false when the deadline passed before it did.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds deadline = kDeadline) {
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace lull::tests
