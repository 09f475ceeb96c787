#pragma once

#include "jobs/capabilities.hpp"
#include "jobs/foreground.hpp"
#include "jobs/priority.hpp"
#include "jobs/spec.hpp"

#include <optional>
#include <string>
#include <variant>

namespace lull {

/// When the foreground counts as busy, and how long it must have been quiet before a job gets more.
/// Each threshold is a pair, so that a load that stands right on it changes nothing.
struct ForegroundSettings {
  /// CPUs in use by the foreground: a quarter of a core is more than a desktop's clocks, panels and
  /// chat programs take, and less than anything that a person waits for.
  double busy_cpu = 0.25;
  double calm_cpu = 0.15;
  /// Below this, and with nobody at the machine, the foreground needs next to nothing.
  double idle_cpu = 0.05;
  /// The foreground's share of the traffic on a disk that a job uses too.
  double busy_io = 0.10;
  double calm_io = 0.05;
  /// Share of the time in which the foreground is held up although jobs run at their busy level.
  double strained = 0.10;
  double relieved = 0.05;
  Duration light_after = std::chrono::seconds(3);  ///< quiet, then busy becomes light
  Duration idle_after = std::chrono::seconds(60);  ///< then light becomes idle
  Duration away_after = std::chrono::minutes(3);   ///< without input nobody is at the machine
  bool operator==(const ForegroundSettings&) const = default;
};

/// What one run is to the decision, beside its levels.
struct RunFacts {
  bool uses_disk = false;  ///< it did I/O within the last seconds
  bool urgent = false;     ///< past its deadline: never held up altogether
  /// Why somebody beside the loop holds it; none: nobody does.
  std::optional<std::string> held = std::nullopt;
  bool operator==(const RunFacts&) const = default;
};

/// What the decision remembers of one run.
struct PolicyState {
  Foreground state = Foreground::light;
  Instant since{0};  ///< the state's beginning
  // When the foreground last needed at least this much:
  Instant last_active{0};  ///< more than idle
  Instant last_busy{0};
  Instant last_strained{0};
  Duration hold{0};        ///< how long a pause lasts at least; 0: nothing was held yet
  Instant resumed{0};      ///< the end of the last pause; 0: there was none
  Instant paused{0};       ///< the beginning of this one
  Instant floor_until{0};  ///< a run that was held too long goes on until here
  bool operator==(const PolicyState&) const = default;
};

/// The first state of a run that starts at `now`: light, or what the loop says already.
PolicyState first_state(Instant now, Foreground state = Foreground::light);

struct Decision {
  std::variant<Level, Pause> what;
  std::string reason;  ///< with figures: "foreground uses 140 % of 200 % CPU"
  PolicyState next;
};

/// What a run gets from now on. Yields with the first observation that asks for it; gives back only
/// after quiet (settings), a pause after `hold`, which doubles from 1 s to 30 s when harm is back
/// within 2 s of its end and decays by half a second each second otherwise. A pause ends after
/// max_pause for a while, and does not begin for an urgent run. A run that is held by somebody else
/// pauses for as long as that lasts, also one whose level is never adapted; only `pause = "never"`
/// keeps it going.
Decision decide(const PrioritySpec& priority, const Capabilities& can,
                const ForegroundSettings& settings, const RunFacts& run, const PolicyState& state,
                const Observation& seen);

/// Which of `count` jobs may use the CPU now.
struct Turn {
  std::size_t first = 0;
  std::size_t at_once = 1;  ///< so many from `first` on, and from the beginning again
  bool operator==(const Turn&) const = default;
};

/// Whose turn it is while the foreground is busy, where each job is a group of its own and N of
/// them would cost N shares: as many as there are CPUs run at once. Where the foreground wants
/// nearly all of them, one alone, and every other turn is nobody's: a group at nice 19 takes 3 % of
/// a CPU beside each half of a foreground on two.
Turn whose_turn(const Observation& seen, std::size_t count);

/// The state's level, without a pause: what `light`, `busy` … of the table hold.
std::variant<Level, Pause> what_at(const LevelTable& levels, Foreground state);

/// The nice value that a job starts with where it cannot be given back: see decision 0006.
int nice_at_start(const LevelTable& levels, const Level& first, const Capabilities& can);

/// "pause".
std::string to_string(const Pause& pause);
/// The same, or the level's text.
std::string to_string(const std::variant<Level, Pause>& what);

}  // namespace lull
