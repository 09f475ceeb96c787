#pragma once

#include "jobs/calendar.hpp"
#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// A fixed grid: the first slot one period after the job was first seen.
struct Every {
  Duration period{};
  bool awake = false;  ///< counts the time that the machine is awake: no clock shows its slots
  bool operator==(const Every&) const = default;
};

enum class CatchUp { once, skip };

/// `[schedule]`: either `at` (one or more calendar expressions) or `every`.
struct Schedule {
  std::vector<Calendar> at;
  std::optional<Every> every;
  std::string timezone;  ///< an IANA name; empty: the machine's
  Duration jitter{0};
  CatchUp catch_up = CatchUp::once;
  std::optional<Duration> deadline;
  bool operator==(const Schedule&) const = default;
};

/// Whether the job is to run once after each boot ("@reboot"), which no slot tells.
bool runs_at_boot(const Schedule& schedule);

/// The schedule with what its calendars leave open drawn (calendar.hpp): slots are asked of this.
Schedule draw(Schedule schedule, std::string_view machine_id, std::string_view job);

/// The first slot strictly after `after`, computed from the schedule alone and never from the last
/// run; `first_seen` anchors the grid of `every`. Nothing when no slot ever comes again. An
/// `every` of awake time has none here: due.hpp.
/// A calendar expression with a zone of its own is evaluated there, all others in `zone`.
std::optional<TimePoint> next_slot(const Schedule& schedule, TimePoint after, TimePoint first_seen,
                                   const Zone& zone);

/// The latest slot in (after, until], for one catch-up run however many slots were missed.
std::optional<TimePoint> last_slot(const Schedule& schedule, TimePoint after, TimePoint until,
                                   TimePoint first_seen, const Zone& zone);

/// How long after its slot a job is due: stable for one machine and job, in [0, jitter).
Duration jitter_offset(Duration jitter, std::string_view machine_id, std::string_view job);

}  // namespace lull
