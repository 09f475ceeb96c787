#include "runner/desktop/input_source.hpp"

namespace lull::desktop {
namespace {

constexpr int kFlood = 100;

}  // namespace

bool InputClock::want(Duration threshold) {
  if (threshold_ && *threshold_ <= threshold) return false;
  threshold_ = threshold;
  return true;
}

bool InputClock::idle_for(Duration idle, Steady::time_point now) {
  const bool was_known = known_;
  const bool was_idle = last_input_.has_value();
  known_ = true;
  last_input_.reset();
  if (threshold_ && idle >= *threshold_) last_input_ = now - idle;
  // The same input, told again, comes with the error of two clocks.
  return !was_known || was_idle != last_input_.has_value();
}

std::optional<Duration> InputClock::since_input(Steady::time_point now) const {
  if (!last_input_) return std::nullopt;
  return std::chrono::floor<Duration>(now - *last_input_);
}

bool FloodGuard::is_flood(std::chrono::steady_clock::time_point now) {
  if (now - second_begun_ >= std::chrono::seconds(1)) {
    second_begun_ = now;
    in_second_ = 0;
  }
  return ++in_second_ > kFlood;
}

}  // namespace lull::desktop
