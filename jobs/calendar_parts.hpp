#pragma once

#include "jobs/calendar.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the parsers, the printer and the search of calendar expressions share; nobody else's
// business.
namespace lull {

/// Bit 0 Monday … bit 6 Sunday.
inline constexpr std::array<std::string_view, 7> kWeekdayNames{"Mon", "Tue", "Wed", "Thu",
                                                               "Fri", "Sat", "Sun"};
inline constexpr unsigned kAllWeekdays = 0x7f;

/// The bit of a weekday as cron counts them: 0 is Sunday, and so is 7.
constexpr unsigned weekday_bit(std::int32_t day) { return 1U << ((day + 6) % 7); }

inline constexpr std::int32_t kMicrosPerSecond = 1'000'000;

/// The values that a component can have. A range without a step goes by `unit`.
struct FieldRange {
  std::string_view name;
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::int32_t unit = 1;
};
FieldRange range_of(CalendarField field);

/// Of the days as they count from the end: each month has so many.
inline constexpr FieldRange kDaysFromEnd{"day before the month's end", 1, 28};

/// The parts of one component, in a calendar that is normalised.
std::span<const CalendarPart> parts_of(const Calendar& calendar, CalendarField field);

/// The smallest value >= from that the component allows.
std::optional<std::int32_t> next_value(const Calendar& calendar, CalendarField field,
                                       std::int32_t from);

/// Whether the component is `*`.
bool is_any(const Calendar& calendar, CalendarField field);

/// Sorts and simplifies, so that equal schedules written in the usual ways compare equal.
void normalize(Calendar& calendar);

/// Digits alone, at most nine of them.
std::optional<std::int32_t> parse_number(std::string_view text);

/// The pieces between separators; n separators make n + 1 pieces, which may be empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The pieces between runs of blanks, none of them empty.
std::vector<std::string_view> split_words(std::string_view text);

/// The text in quotes, for messages.
std::string quoted(std::string_view text);

/// Weekdays for a reader: "Mon..Fri" or "Mon,Wed"; what stands in a range is the caller's.
std::string weekdays_text(unsigned weekdays, std::string_view range);

/// Whether two texts are the same but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace lull
