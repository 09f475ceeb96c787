#pragma once

#include "jobs/units.hpp"
#include "jobs/zone.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// The components of a calendar expression. Of weekdays there is a set instead of parts; the field
/// is for what is drawn alone.
enum class CalendarField : std::uint8_t { year, month, day, hour, minute, second, weekday };

/// One element of a component's list: `start`, or start, start + repeat, … up to `stop`. Seconds
/// are counted in microseconds, so that fractions have a place; all else in its own unit.
struct CalendarPart {
  static constexpr std::int32_t kOpen = -1;  ///< as stop: to the end of the component's range

  CalendarField field = CalendarField::year;
  std::int32_t start = 0;
  std::int32_t stop = kOpen;  ///< kOpen too where nothing repeats
  std::int32_t repeat = 0;    ///< 0: start alone
  bool operator==(const CalendarPart&) const = default;
};

/// A value that cron's `~` leaves open: draw() puts in its place a part that begins with one of
/// first … last.
struct CalendarDraw {
  CalendarField field = CalendarField::minute;
  std::int32_t first = 0;
  std::int32_t last = 0;  ///< 7 for Sunday too
  std::int32_t repeat =
      0;  ///< 0: the value alone; else from one of the first `repeat` on to `last`
  bool operator==(const CalendarDraw&) const = default;
};

/// One calendar expression: a value, 80 bytes and 16 for each part. A component without parts is
/// `*`.
struct Calendar {
  std::vector<CalendarPart> parts;  ///< sorted, none twice
  std::vector<CalendarDraw> draws;  ///< as they were written; while there are any, no slot comes
  std::optional<Zone> zone;         ///< written in the expression; else the job's applies
  std::uint8_t weekdays = 0;        ///< bit 0 Monday … bit 6 Sunday; 0: any day
  bool day_or_weekday = false;      ///< cron: the day or the weekday must match, not both
  bool days_from_end = false;       ///< the day parts count from the month's end: 1 is its last day
  bool at_boot = false;             ///< cron's "@reboot": there is nothing else, and no slot comes
  bool operator==(const Calendar&) const = default;
};

/// Reads a systemd OnCalendar expression, a five-field cron schedule, or one of their words
/// ("daily", "@daily"). It is cron's if it has exactly five fields between blanks and no ':' in
/// them (an OnCalendar expression has at most four); a word of cron's begins with '@'. "@" and
/// digits are systemd's: seconds since 1970. The error says what is wrong and what to write
/// instead.
Result<Calendar> parse_calendar(std::string_view text);

/// The normalised form, which parses to an equal value: OnCalendar's with every component written
/// ("Mon..Fri *-*-* 02:30:00"). Cron's "day of month or weekday", its `~` and "@reboot" have no
/// such form and stay cron's ("30 2 13 * Fri").
std::string to_string(const Calendar& calendar);

/// The calendar with a part for each of its draws: the same for one machine and job at all times,
/// and spread evenly over many.
Calendar draw(Calendar calendar, std::string_view machine_id, std::string_view job);

/// Whether the hour is written as `*`, or as a step without an end ("0/2", cron's "*/2").
bool has_wildcard_hour(const Calendar& calendar);

/// The first slot strictly after `after`, in the calendar's own zone or else in `zone`; nothing if
/// none ever comes (slots lie in the years 1970 to 2199, as in systemd). A time in a DST gap gives
/// the first instant after the gap, once. In a fold, where the clocks show an hour twice, a fixed
/// hour gives the first occurrence, a wildcard hour both.
std::optional<TimePoint> next(const Calendar& calendar, TimePoint after, const Zone& zone);

}  // namespace lull
