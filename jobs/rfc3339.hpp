#pragma once

#include "jobs/result.hpp"
#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <string>
#include <string_view>

namespace lull {

/// RFC 3339 with the zone's offset at that instant and the fewest digits that lose nothing:
/// "2026-11-22T02:30:00+01:00", "…:00.25+00:00".
std::string format_rfc3339(TimePoint time, const Zone& zone);

/// Reads RFC 3339: "2026-11-22T02:30:00+01:00", "2026-11-22 01:30:00.25Z".
Result<TimePoint> parse_rfc3339(std::string_view text);

/// For tables: "2026-11-22 02:30:00".
std::string format_local(TimePoint time, const Zone& zone);

}  // namespace lull
