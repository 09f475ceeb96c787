#pragma once

#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace lull {

/// When in a year the clocks change, as a POSIX TZ rule says it ("M3.5.0/2", "J60", "59").
struct TailDate {
  enum class Kind { month_week_day, julian_without_leap_day, day_of_year };
  Kind kind = Kind::month_week_day;
  unsigned month = 1;
  unsigned week = 1;  ///< 5: the last
  unsigned day = 0;   ///< a weekday (0 Sunday) or a day of the year
  std::chrono::seconds time{
      7200};  ///< on the clocks as they are before; may be negative or over a day
  bool operator==(const TailDate&) const = default;
};

/// The rule that holds after a zone's last listed transition: the last line of a TZif file
/// (RFC 8536 section 3.3). Needed because "fat" files list transitions up to 2037 only and "slim"
/// ones up to the last change of the rule, often decades ago, and the library stops there.
struct ZoneTail {
  struct Summer {
    std::chrono::seconds offset{0};
    TailDate begin;
    TailDate end;
    bool operator==(const Summer&) const = default;
  };
  std::chrono::seconds offset{0};  ///< east of UTC, in winter or all the year
  std::optional<Summer> summer;
  bool operator==(const ZoneTail&) const = default;
};

/// Reads "CET-1CEST,M3.5.0,M10.5.0/3" or "<+0330>-3:30"; nothing if it is none.
std::optional<ZoneTail> parse_zone_tail(std::string_view text);

/// The stretch around an instant by that rule alone.
ZoneStretch stretch_of(const ZoneTail& tail, TimePoint instant);

}  // namespace lull
