#pragma once

#include "jobs/result.hpp"
#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// A pause that somebody asked for by hand.
struct HandPause {
  TimePoint since;
  std::optional<TimePoint> until;  ///< none: until it is ended by hand
  bool operator==(const HandPause&) const = default;
};

/// Pauses by the name of their job.
using HandPauses = std::map<std::string, HandPause, std::less<>>;

/// Stands for the name of all jobs, those that are still to come included.
inline constexpr const char* kAllJobs = "";

/// The pause that a job is under: its own or that of all, of the two the one that ends later.
std::optional<HandPause> pause_of(const HandPauses& pauses, std::string_view job);

/// Whether a run of the job that began at `started` is to stand still: a pause holds what went on
/// when it began, and not what was started by hand since.
bool holds_run(const HandPauses& pauses, std::string_view job, TimePoint started);

/// When the first of them ends by itself.
std::optional<TimePoint> next_end(const HandPauses& pauses);

/// Takes out those that have ended by `now` and returns whose they were.
std::vector<std::string> take_ended(HandPauses& pauses, TimePoint now);

/// "paused by hand until 14:30", with the date where it is not that of the pause's beginning, and
/// the seconds, if any, of a pause of less than an hour.
std::string describe(const HandPause& pause, const Zone& zone);

/// The end of a pause that lasts `text`, such as "2h", from `now` on: at most a hundred years.
Result<TimePoint> pause_for(std::string_view text, TimePoint now);

/// The end of a pause that lasts until `text`: an RFC 3339 time after `now`, or a time of day such
/// as "14:30", which is the next one that the zone's clocks show.
Result<TimePoint> pause_until(std::string_view text, TimePoint now, const Zone& zone);

}  // namespace lull
