#pragma once

#include "jobs/priority.hpp"
#include "jobs/units.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lull {

/// Numbers the runs of one state folder, from 1.
using RunId = std::int64_t;

/// What made a run start.
enum class Trigger { schedule, manual, catch_up, retry };
std::string_view to_string(Trigger trigger);
Result<Trigger> parse_trigger(std::string_view text);

/// How a run ended. The order and the names are part of the store's format.
enum class Outcome {
  success,
  failed,
  timed_out,
  stopped,
  spawn_failed,
  interrupted,
  lost_race,
  skipped,
};
std::string_view to_string(Outcome outcome);
Result<Outcome> parse_outcome(std::string_view text);

/// Knobs as they were read back from the kernel: name and value, in the order of application.
using Applied = std::vector<std::pair<std::string, std::string>>;

/// One change of a run's level, the first being the one it started with.
struct LevelChange {
  TimePoint at;
  Foreground state = Foreground::light;
  std::string level;  ///< as to_string(Level) writes it, or "pause"
  Applied applied;
  std::string reason;
  bool operator==(const LevelChange&) const = default;
};

/// What the job's whole tree used, as the kernel counted it.
struct Usage {
  Duration cpu{0};
  Bytes read;
  Bytes written;
  bool operator==(const Usage&) const = default;
};

/// The end of a run.
struct Ending {
  TimePoint at;
  Outcome outcome = Outcome::success;
  std::optional<int> exit_code;  ///< of the main process, when it exited
  std::optional<int> signal;     ///< that killed it, otherwise
  std::string detail;  ///< "exec /usr/bin/resstic: No such file or directory"; may be empty
  Usage usage;
  Duration paused{0};
  bool operator==(const Ending&) const = default;
};

/// One execution, as history shows it.
struct RunRecord {
  RunId id = 0;
  std::string job;
  TimePoint slot;
  Trigger trigger = Trigger::schedule;
  int attempt = 1;
  std::optional<TimePoint> started;
  std::optional<Ending> ending;
  std::vector<LevelChange> levels;
  bool operator==(const RunRecord&) const = default;
};

}  // namespace lull
