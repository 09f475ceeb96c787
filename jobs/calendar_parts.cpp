#include "jobs/calendar_parts.hpp"

#include <algorithm>
#include <tuple>

namespace lull {
namespace {

/// The smallest value >= from of one element whose component ends with `last`.
std::optional<std::int32_t> next_in(const CalendarPart& part, std::int32_t from,
                                    std::int32_t last) {
  if (from <= part.start) return part.start;
  if (part.repeat == 0) return std::nullopt;
  const std::int32_t steps = (from - part.start + part.repeat - 1) / part.repeat;
  const std::int32_t value = part.start + steps * part.repeat;
  const std::int32_t stop = part.stop == CalendarPart::kOpen ? last : part.stop;
  return value <= stop ? std::optional(value) : std::nullopt;
}

/// systemd's rule: the end of a range is its last hit, and what hits once does not repeat.
void normalize(CalendarPart& part) {
  if (part.stop == CalendarPart::kOpen) return;
  if (part.repeat > 0) part.stop -= (part.stop - part.start) % part.repeat;
  if (part.stop == part.start) {
    part.stop = CalendarPart::kOpen;
    part.repeat = 0;
  }
}

bool comes_before(const CalendarPart& a, const CalendarPart& b) {
  return std::tie(a.field, a.start, a.stop, a.repeat) <
         std::tie(b.field, b.start, b.stop, b.repeat);
}

/// "*:*:0/1" is "*:*:*". Of other components systemd keeps "0/1", and so do we.
bool is_every_second(const CalendarPart& part) {
  return part == CalendarPart{CalendarField::second, 0, CalendarPart::kOpen, kMicrosPerSecond};
}

bool allows_all(const Calendar& calendar, CalendarField field) {
  const FieldRange range = range_of(field);
  for (std::int32_t value = range.first; value <= range.last; value += range.unit) {
    if (next_value(calendar, field, value) != value) return false;
  }
  return true;
}

}  // namespace

FieldRange range_of(CalendarField field) {
  switch (field) {
    case CalendarField::year:
      return {"year", 1970, 2199, 1};
    case CalendarField::month:
      return {"month", 1, 12, 1};
    case CalendarField::day:
      return {"day", 1, 31, 1};
    case CalendarField::hour:
      return {"hour", 0, 23, 1};
    case CalendarField::minute:
      return {"minute", 0, 59, 1};
    case CalendarField::second:
      return {"second", 0, 60 * kMicrosPerSecond - 1, kMicrosPerSecond};
    case CalendarField::weekday:
      return {"weekday", 0, 6, 1};
  }
  return {};
}

std::span<const CalendarPart> parts_of(const Calendar& calendar, CalendarField field) {
  const auto [first, last] = std::equal_range(
      calendar.parts.begin(), calendar.parts.end(), CalendarPart{field},
      [](const CalendarPart& a, const CalendarPart& b) { return a.field < b.field; });
  return {first, last};
}

std::optional<std::int32_t> next_value(const Calendar& calendar, CalendarField field,
                                       std::int32_t from) {
  const FieldRange range = range_of(field);
  const CalendarPart any{field, range.first, CalendarPart::kOpen, range.unit};
  const auto parts = parts_of(calendar, field);
  if (parts.empty()) return next_in(any, from, range.last);
  std::optional<std::int32_t> best;
  for (const CalendarPart& part : parts) {
    const auto value = next_in(part, from, range.last);
    if (value && (!best || *value < *best)) best = value;
  }
  return best;
}

bool is_any(const Calendar& calendar, CalendarField field) {
  return parts_of(calendar, field).empty();
}

void normalize(Calendar& calendar) {
  auto& parts = calendar.parts;
  for (CalendarPart& part : parts)
    normalize(part);
  std::sort(parts.begin(), parts.end(), comes_before);
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  if (std::any_of(parts.begin(), parts.end(), is_every_second)) {
    std::erase_if(parts, [](const auto& part) { return part.field == CalendarField::second; });
  }
  if (is_any(calendar, CalendarField::day)) calendar.days_from_end = false;
  // "This day or any weekday", or the reverse, is any day; of what is drawn nothing is known yet.
  if (calendar.day_or_weekday && calendar.draws.empty() &&
      (calendar.weekdays == kAllWeekdays || allows_all(calendar, CalendarField::day))) {
    std::erase_if(parts, [](const auto& part) { return part.field == CalendarField::day; });
    calendar.weekdays = 0;
    calendar.day_or_weekday = false;
  }
  if (calendar.weekdays == kAllWeekdays) calendar.weekdays = 0;
  parts.shrink_to_fit();
}

std::optional<std::int32_t> parse_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 9;
  const bool digits = !text.empty() && text.size() <= kMostDigits &&
                      text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return std::nullopt;
  std::int32_t value = 0;
  for (const char digit : text)
    value = value * 10 + (digit - '0');
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (auto end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  pieces.push_back(text);
  return pieces;
}

std::vector<std::string_view> split_words(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::vector<std::string_view> words;
  for (auto begin = text.find_first_not_of(kBlank); begin != std::string_view::npos;
       begin = text.find_first_not_of(kBlank)) {
    text.remove_prefix(begin);
    words.push_back(text.substr(0, text.find_first_of(kBlank)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string weekdays_text(unsigned weekdays, std::string_view range) {
  std::string text;
  for (std::size_t day = 0; day < kWeekdayNames.size(); ++day) {
    if ((weekdays >> day & 1) == 0) continue;
    std::size_t last = day;
    while (weekdays >> (last + 1) & 1)
      ++last;
    if (!text.empty()) text += ',';
    text += kWeekdayNames[day];
    // As in systemd, two neighbours are a list and only three are a range.
    if (last > day)
      text += (last > day + 1 ? std::string(range) : ",") + std::string(kWeekdayNames[last]);
    day = last;
  }
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace lull
