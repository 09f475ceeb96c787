#pragma once

#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace lull {

/// Reads a time of day, "7:00" or "22:30", up to "24:00", as how much of the day has passed by
/// then; nothing for any other text.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);

/// The first instant after `now` at which clocks show `time`; in a night with a change of clocks
/// they may do so twice, or only with the jump.
TimePoint next_at(std::chrono::minutes time, TimePoint now, const Zone& zone);

}  // namespace lull
