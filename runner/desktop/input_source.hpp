#pragma once

#include "jobs/units.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace lull::desktop {

/// A source of user input, for people.
struct SourceState {
  std::string source;
  bool works = false;
  std::string detail;        ///< what it says, or why it says nothing
  bool has_settled = false;  ///< it works, or is known not to
};

/// When to try again one who is lost; doubles up to the second.
inline constexpr std::chrono::seconds kFirstAgain{5};
inline constexpr std::chrono::seconds kLastAgain{320};

/// What is known of the input at one place, when a source tells only that there was none for the
/// wanted time, and of the first input after. On the monotonic clock, so that nobody is away for
/// longer because the clock was set; sleep does not count.
class InputClock {
 public:
  using Steady = std::chrono::steady_clock;

  /// Whether `threshold` is shorter than what was wanted so far, and now is.
  bool want(Duration threshold);
  [[nodiscard]] std::optional<Duration> threshold() const { return threshold_; }

  /// There has been no input for so long. Whether it makes a difference.
  bool idle_for(Duration idle, Steady::time_point now);
  void forget() { known_ = false; }

  [[nodiscard]] bool is_known() const { return known_; }
  /// Since the last input; nothing: there may have been input at any moment.
  [[nodiscard]] std::optional<Duration> since_input(Steady::time_point now) const;

 private:
  std::optional<Duration> threshold_;
  bool known_ = false;
  std::optional<Steady::time_point> last_input_;
};

/// Notices who tells more than anybody honest: so many times in a second.
class FloodGuard {
 public:
  /// Counts one.
  bool is_flood(std::chrono::steady_clock::time_point now);

 private:
  std::chrono::steady_clock::time_point second_begun_;
  int in_second_ = 0;
};

}  // namespace lull::desktop
