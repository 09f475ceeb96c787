#pragma once

#include "jobs/run.hpp"
#include "jobs/spec.hpp"
#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lull {

/// What feeds the machine.
struct PowerState {
  bool on_battery = false;
  std::optional<int> battery_percent;  ///< of all batteries that feed the machine together
  bool operator==(const PowerState&) const = default;
};

struct NetworkState {
  bool up = false;
  bool metered = false;  ///< or guessed to be; what nobody says anything of is not
  bool operator==(const NetworkState&) const = default;
};

/// What a `check` said last.
struct CheckAnswer {
  enum class Kind { go, not_now, failed };
  Kind kind = Kind::go;
  std::string detail;  ///< "exited with 75"
  bool operator==(const CheckAnswer&) const = default;
};

/// How a `check` that ended so answers: 0 go, 75 (EX_TEMPFAIL of sysexits.h) not now, all else an
/// error, which holds the job as well.
CheckAnswer check_answer(const Ending& ending);

/// One of `exists` with nothing there, as far as is known.
struct MissingPath {
  std::string path;
  bool answered = true;  ///< false: its file system has not answered
  bool operator==(const MissingPath&) const = default;
};

/// What one job's gates are judged by. What no source tells is absent, and counts as each member
/// says: never so that a job waits for ever for a machine to be what it cannot be, nor so that it
/// does what the gate is there to prevent.
struct World {
  TimePoint now;
  Zone zone;                            ///< the job's, for `hours`
  std::optional<PowerState> power;      ///< none: mains, as of a machine without a battery
  std::optional<Duration> user_away;    ///< none: somebody is here
  std::string here_because;             ///< why nobody is away: "a video is playing"; may be empty
  std::optional<NetworkState> network;  ///< none: down
  bool mounted = false;                 ///< what `mounted` names
  std::vector<MissingPath> missing;     ///< of `exists`
  std::optional<CheckAnswer> check;     ///< none: it has not been asked
  std::vector<std::string> to_succeed;  ///< of `after`: those that have not since the slot before
  std::set<std::string, std::less<>> asking;  ///< gates of which the sources have not answered yet
  bool overdue = false;              ///< the deadline has come: all but the hard gates give way
  std::optional<TimePoint> settled;  ///< of what was missed: not before this
};

/// A gate that is shut.
struct Waiting {
  std::string gate;                ///< its key, or that of the setting which holds the job
  std::string reason;              ///< "on battery, 48 % left"
  bool hard = false;               ///< holds the job past its deadline too
  std::optional<TimePoint> until;  ///< when it opens if nothing happens before
  bool operator==(const Waiting&) const = default;
};

/// When the hours begin or end next, after `now`; nothing without hours.
std::optional<TimePoint> next_hours_change(const GateSpec& when, TimePoint now, const Zone& zone);

/// The gates that are shut and do not give way, in the order of `[when]` after `settle`, which no
/// deadline opens; none: the job may start.
/// A `check` is only asked when nothing else holds the job, so that it waits for the others.
std::vector<Waiting> shut_gates(const GateSpec& when, const World& world);

/// The gates that have shut under a run which goes on: those whose loss `lost` is about. `settle`,
/// `check` and `after` are for its start alone, and what is only being asked has not been lost.
std::vector<Waiting> lost_gates(const GateSpec& when, const World& world);

}  // namespace lull
