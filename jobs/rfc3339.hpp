#pragma once

#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <string>

namespace lull {

/// RFC 3339 with the zone's offset at that instant and the fewest digits that lose nothing:
/// "2026-11-22T02:30:00+01:00", "…:00.25+00:00".
std::string format_rfc3339(TimePoint time, const Zone& zone);

/// For tables: "2026-11-22 02:30:00".
std::string format_local(TimePoint time, const Zone& zone);

}  // namespace lull
