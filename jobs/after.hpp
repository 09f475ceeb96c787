#pragma once

#include "jobs/schedule.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// Each job and those that it waits for.
using AfterGraph = std::map<std::string, std::vector<std::string>, std::less<>>;

/// The jobs in which waiting leads from `job` back to it, beginning and ending with its name; empty
/// where it does not.
std::vector<std::string> cycle_through(const AfterGraph& graph, std::string_view job);

/// Since when others must have succeeded for a run of `slot` to start: since the slot before, which
/// is asked of the schedule alone. Where that has no slots (there is none, or it counts awake time
/// or boots), since the last run; without one, since the job was first seen.
TimePoint successes_count_from(const std::optional<Schedule>& schedule, TimePoint slot,
                               std::optional<TimePoint> last_run, TimePoint first_seen,
                               const Zone& zone);

}  // namespace lull
