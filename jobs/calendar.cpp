#include "jobs/calendar.hpp"

#include "jobs/calendar_parts.hpp"

#include <algorithm>
#include <bit>

namespace lull {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::year_month_day;

constexpr microseconds kTick(1);

/// Slots lie between these, and no arithmetic overflows.
constexpr TimePoint kBeforeAll = std::chrono::sys_days(std::chrono::year(1969) / 12 / 1);
constexpr TimePoint kAfterAll = std::chrono::sys_days(std::chrono::year(2200) / 2 / 1);

/// No fold was ever longer than a day (the date line).
constexpr hours kLongestFold(26);

/// The calendar's days of a month, bit 0 being the first.
std::uint32_t days_in_month(const Calendar& calendar, std::uint32_t day_bits,
                            year_month_day first) {
  const local_days first_day(first);
  const auto length = unsigned((first.year() / first.month() / std::chrono::last).day());
  const std::uint32_t in_month = ~std::uint32_t(0) >> (32 - length);
  if (calendar.weekdays == 0) return day_bits & in_month;
  constexpr std::uint64_t kSixWeeks = 0x8'1020'4081;  // repeats seven bits six times
  const unsigned weekday = std::chrono::weekday(first_day).iso_encoding() - 1;
  const auto by_weekday = static_cast<std::uint32_t>((calendar.weekdays * kSixWeeks) >> weekday);
  return (calendar.day_or_weekday ? day_bits | by_weekday : day_bits & by_weekday) & in_month;
}

/// The calendar's day component as such, bit 0 being the first.
std::uint32_t day_mask(const Calendar& calendar) {
  std::uint32_t mask = 0;
  for (auto day = next_value(calendar, CalendarField::day, 1); day;
       day = next_value(calendar, CalendarField::day, *day + 1)) {
    mask |= std::uint32_t(1) << (*day - 1);
  }
  return mask;
}

/// The first day of the calendar in a year, not before `from`.
std::optional<local_days> next_day_in_year(const Calendar& calendar, std::uint32_t day_bits,
                                           std::chrono::year year, year_month_day from) {
  const bool whole_year = year > from.year();
  const int first_month = whole_year ? 1 : static_cast<int>(unsigned(from.month()));
  for (auto month = next_value(calendar, CalendarField::month, first_month); month;
       month = next_value(calendar, CalendarField::month, *month + 1)) {
    const year_month_day first = year / *month / 1;
    std::uint32_t found = days_in_month(calendar, day_bits, first);
    if (!whole_year && *month == first_month)
      found &= ~std::uint32_t(0) << (unsigned(from.day()) - 1);
    if (found != 0) return local_days(first) + days(std::countr_zero(found));
  }
  return std::nullopt;
}

std::optional<local_days> next_day(const Calendar& calendar, local_days from) {
  const year_month_day date(from);
  const std::uint32_t day_bits = day_mask(calendar);
  for (auto year = next_value(calendar, CalendarField::year, int(date.year())); year;
       year = next_value(calendar, CalendarField::year, *year + 1)) {
    const auto day = next_day_in_year(calendar, day_bits, std::chrono::year(*year), date);
    if (day) return day;
  }
  return std::nullopt;
}

/// The calendar's first minute and second.
microseconds first_in_hour(const Calendar& calendar) {
  return minutes(next_value(calendar, CalendarField::minute, 0).value_or(0)) +
         microseconds(next_value(calendar, CalendarField::second, 0).value_or(0));
}

/// The first minute and second of the calendar not before `from`, both since the hour began.
std::optional<microseconds> next_in_hour(const Calendar& calendar, microseconds from) {
  const auto from_minute = static_cast<std::int32_t>(from / minutes(1));
  auto minute = next_value(calendar, CalendarField::minute, from_minute);
  if (minute == from_minute) {
    const auto rest = static_cast<std::int32_t>((from % minutes(1)).count());
    if (const auto second = next_value(calendar, CalendarField::second, rest)) {
      return minutes(*minute) + microseconds(*second);
    }
    minute = next_value(calendar, CalendarField::minute, from_minute + 1);
  }
  if (!minute) return std::nullopt;
  return minutes(*minute) +
         microseconds(next_value(calendar, CalendarField::second, 0).value_or(0));
}

/// The first time of day of the calendar not before `from`.
std::optional<microseconds> next_time(const Calendar& calendar, microseconds from) {
  const auto from_hour = static_cast<std::int32_t>(from / hours(1));
  auto hour = next_value(calendar, CalendarField::hour, from_hour);
  if (hour == from_hour) {
    if (const auto rest = next_in_hour(calendar, from % hours(1))) return hours(*hour) + *rest;
    hour = next_value(calendar, CalendarField::hour, from_hour + 1);
  }
  return hour ? std::optional(hours(*hour) + first_in_hour(calendar)) : std::nullopt;
}

/// The first civil time of the calendar not before `from`.
std::optional<CivilTime> next_civil(const Calendar& calendar, CivilTime from) {
  const auto today = std::chrono::floor<days>(from);
  auto day = next_day(calendar, today);
  if (day == today) {
    if (const auto time = next_time(calendar, from - today)) return *day + *time;
    day = next_day(calendar, today + days(1));
  }
  if (!day) return std::nullopt;
  return *day + next_time(calendar, microseconds(0)).value_or(microseconds(0));
}

/// Where fixed times after `after` begin: in the second pass of a fold they have all been.
CivilTime first_unshown(const Zone& zone, TimePoint after, const ZoneStretch& here) {
  const CivilTime shown(after.time_since_epoch() + here.offset);
  if (here.begin < after - kLongestFold) return shown + kTick;
  const auto before = zone.offset_at(here.begin - kTick);
  return std::max(shown + kTick, CivilTime(here.begin.time_since_epoch() + before));
}

std::optional<TimePoint> next_fixed(const Calendar& calendar, TimePoint after, const Zone& zone) {
  const auto civil = next_civil(calendar, first_unshown(zone, after, zone.stretch_at(after)));
  return civil ? std::optional(zone.to_instants(*civil).first) : std::nullopt;
}

std::optional<TimePoint> next_wildcard(const Calendar& calendar, TimePoint after,
                                       const Zone& zone) {
  const ZoneStretch here = zone.stretch_at(after);
  const auto civil =
      next_civil(calendar, CivilTime(after.time_since_epoch() + here.offset) + kTick);
  if (civil && TimePoint(civil->time_since_epoch() - here.offset) < here.end) {
    return TimePoint(civil->time_since_epoch() - here.offset);
  }
  // The stretch has no slot any more. If it ends with a fold, the second pass may have one.
  if (here.end < kAfterAll) {
    const auto offset = zone.offset_at(here.end);
    const CivilTime again(here.end.time_since_epoch() + offset);
    const auto repeated = offset < here.offset ? next_civil(calendar, again) : std::nullopt;
    if (repeated && *repeated < CivilTime(here.end.time_since_epoch() + here.offset)) {
      return TimePoint(repeated->time_since_epoch() - offset);
    }
  }
  return civil ? std::optional(zone.to_instants(*civil).first) : std::nullopt;
}

}  // namespace

bool has_wildcard_hour(const Calendar& calendar) {
  return is_any(calendar, CalendarField::hour) ||
         std::any_of(calendar.parts.begin(), calendar.parts.end(), [](const CalendarPart& part) {
           return part.field == CalendarField::hour && part.repeat > 0 &&
                  part.stop == CalendarPart::kOpen;
         });
}

std::optional<TimePoint> next(const Calendar& calendar, TimePoint after, const Zone& zone) {
  const Zone& own = calendar.zone ? *calendar.zone : zone;
  const TimePoint from = std::clamp(after, kBeforeAll, kAfterAll);
  return has_wildcard_hour(calendar) ? next_wildcard(calendar, from, own)
                                     : next_fixed(calendar, from, own);
}

}  // namespace lull
