#pragma once

#include "jobs/units.hpp"

namespace lull {

/// How long the machine is on.
struct Uptime {
  Duration since_boot{0};  ///< CLOCK_BOOTTIME: its sleep is part of it
  Duration awake{0};       ///< CLOCK_MONOTONIC: its sleep is not
};

/// Knows when the machine was last started or resumed.
class Wakes {
 public:
  /// `now`: when we began to look. What was before is one with the boot.
  explicit Wakes(const Uptime& now) : asleep_(now.since_boot - now.awake) {}

  /// Notes a sleep since the last look; whether there was one.
  bool look(const Uptime& now);

  /// How long the machine is awake without a sleep in between.
  [[nodiscard]] Duration awake_for(const Uptime& now) const { return now.since_boot - woke_; }

 private:
  Duration asleep_;   ///< in all
  Duration woke_{0};  ///< since boot
};

}  // namespace lull
