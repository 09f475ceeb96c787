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

/// What an expression says of dates, as sets.
struct Dates {
  std::uint32_t months = 0;    ///< bit 0 is January
  std::uint32_t days = 0;      ///< bit 0 is the first, or the last where they count from the end
  std::uint32_t reversed = 0;  ///< `days` in which bit 31 has become bit 0
};

std::uint32_t reverse_bits(std::uint32_t bits) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i)
    reversed |= (bits >> i & 1U) << (31 - i);
  return reversed;
}

/// The calendar's days of a month, bit 0 being the first.
std::uint32_t days_in_month(const Calendar& calendar, const Dates& dates, year_month_day first) {
  const local_days first_day(first);
  const auto length = unsigned((first.year() / first.month() / std::chrono::last).day());
  const std::uint32_t in_month = ~std::uint32_t(0) >> (32 - length);
  const std::uint32_t day_bits =
      calendar.days_from_end ? dates.reversed >> (32 - length) : dates.days;
  if (calendar.weekdays == 0) return day_bits & in_month;
  constexpr std::uint64_t kSixWeeks = 0x8'1020'4081;  // repeats seven bits six times
  const unsigned weekday = std::chrono::weekday(first_day).iso_encoding() - 1;
  const auto by_weekday = static_cast<std::uint32_t>((calendar.weekdays * kSixWeeks) >> weekday);
  return (calendar.day_or_weekday ? day_bits | by_weekday : day_bits & by_weekday) & in_month;
}

/// The values of a component that begins with 1, bit 0 being that.
std::uint32_t value_bits(const Calendar& calendar, CalendarField field) {
  std::uint32_t bits = 0;
  for (auto value = next_value(calendar, field, 1); value;
       value = next_value(calendar, field, *value + 1)) {
    bits |= std::uint32_t(1) << (*value - 1);
  }
  return bits;
}

/// Of days that count from the end an element without one goes down to the last day.
std::uint32_t bits_from_end(const Calendar& calendar) {
  std::uint32_t bits = 0;
  for (const CalendarPart& part : parts_of(calendar, CalendarField::day)) {
    const bool up = part.stop != CalendarPart::kOpen;
    for (int day = part.start; day >= 1 && (!up || day <= part.stop);
         day += up ? part.repeat : -part.repeat) {
      bits |= std::uint32_t(1) << (day - 1);
      if (part.repeat == 0) break;
    }
  }
  return bits;
}

Dates dates_of(const Calendar& calendar) {
  Dates dates;
  dates.months = value_bits(calendar, CalendarField::month);
  dates.days =
      calendar.days_from_end ? bits_from_end(calendar) : value_bits(calendar, CalendarField::day);
  dates.reversed = reverse_bits(dates.days);
  return dates;
}

/// The first day of the calendar in a year, not before `from`.
std::optional<local_days> next_day_in_year(const Calendar& calendar, const Dates& dates,
                                           std::chrono::year year, year_month_day from) {
  const bool whole_year = year > from.year();
  const unsigned first_month = whole_year ? 1 : unsigned(from.month());
  for (std::uint32_t months = dates.months >> (first_month - 1) << (first_month - 1); months != 0;
       months &= months - 1) {
    const auto month = static_cast<unsigned>(std::countr_zero(months)) + 1;
    const year_month_day first = year / std::chrono::month(month) / 1;
    std::uint32_t found = days_in_month(calendar, dates, first);
    if (!whole_year && month == first_month)
      found &= ~std::uint32_t(0) << (unsigned(from.day()) - 1);
    if (found != 0) return local_days(first) + days(std::countr_zero(found));
  }
  return std::nullopt;
}

/// Years that begin with the same weekday and are as long have the same days: there are 14 kinds.
unsigned kind_of(std::chrono::year year) {
  const std::chrono::weekday first(local_days(year / 1 / 1));
  return first.c_encoding() + (year.is_leap() ? 7U : 0U);
}

/// What never comes is known as soon as no kind of year has it.
std::optional<local_days> next_day(const Calendar& calendar, local_days from) {
  constexpr unsigned kAllKinds = (1U << 14U) - 1;
  const year_month_day date(from);
  const Dates dates = dates_of(calendar);
  unsigned barren = 0;
  for (auto value = next_value(calendar, CalendarField::year, int(date.year()));
       value && barren != kAllKinds;
       value = next_value(calendar, CalendarField::year, *value + 1)) {
    const std::chrono::year year(*value);
    const unsigned kind = kind_of(year);
    if ((barren >> kind & 1U) != 0) continue;
    const auto day = next_day_in_year(calendar, dates, year, date);
    if (day) return day;
    if (year > date.year()) barren |= 1U << kind;
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
  if (calendar.at_boot || !calendar.draws.empty()) return std::nullopt;
  const Zone& own = calendar.zone ? *calendar.zone : zone;
  const TimePoint from = std::clamp(after, kBeforeAll, kAfterAll);
  return has_wildcard_hour(calendar) ? next_wildcard(calendar, from, own)
                                     : next_fixed(calendar, from, own);
}

}  // namespace lull
