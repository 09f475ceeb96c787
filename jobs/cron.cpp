#include "jobs/cron.hpp"

#include "jobs/calendar_parts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lull {
namespace {

constexpr std::array<std::string_view, 12> kMonthNames{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};

/// One of the five fields: the values that it may have and the names for some of them.
struct CronField {
  std::string_view name;
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::string_view example;
};
constexpr CronField kMinute{"minute", 0, 59, "0-59, */15 or 0,30"};
constexpr CronField kHour{"hour", 0, 23, "0-23, */6 or 8,20"};
constexpr CronField kDay{"day of month", 1, 31, "1-31, */2 or 1,15"};
constexpr CronField kMonth{"month", 1, 12, "1-12, */3 or jan,jul"};
constexpr CronField kWeekday{"day of week", 0, 7, "0-7, 1-5 or mon,fri"};

/// What an element of a list says.
struct CronRange {
  std::int32_t first = 0;
  std::int32_t last = 0;
  std::int32_t step = 1;  ///< 0: one value, drawn
  bool open = false;      ///< written with '*'
  bool drawn = false;     ///< written with '~'
};

Error wrong(const CronField& field, std::string_view text, std::string_view why) {
  return Error("cron's " + std::string(field.name) + ' ' + quoted(text) + ' ' + std::string(why) +
               ": write for example " + std::string(field.example));
}

std::optional<std::int32_t> named_value(const CronField& field, std::string_view text) {
  if (field.name == kMonth.name) {
    for (std::size_t i = 0; i < kMonthNames.size(); ++i) {
      if (equals_ignoring_case(text, kMonthNames[i])) return static_cast<std::int32_t>(i) + 1;
    }
  }
  if (field.name == kWeekday.name) {
    for (std::size_t i = 0; i < kWeekdayNames.size(); ++i) {
      if (equals_ignoring_case(text, kWeekdayNames[i])) return static_cast<std::int32_t>(i) + 1;
    }
  }
  return std::nullopt;
}

Result<std::int32_t> parse_value(const CronField& field, std::string_view text) {
  if (const auto named = named_value(field, text)) return *named;
  const auto number = parse_number(text);
  if (!number) {
    if (text.find_first_of("?LWH#") != std::string_view::npos) {
      return wrong(field, text, "is not understood (?, L, W, H and # are other programs')");
    }
    return wrong(field, text, "is no number or name");
  }
  if (*number < field.first || *number > field.last) {
    return wrong(
        field, text,
        "is out of the range " + std::to_string(field.first) + '-' + std::to_string(field.last));
  }
  return *number;
}

/// Where "~" alone draws from: no weekday twice, and a day that every month has.
CronRange all_drawn(const CronField& field) {
  CronRange range{.first = field.first, .last = field.last, .step = 0, .drawn = true};
  if (field.name == kWeekday.name) range.last = 6;
  if (field.name == kDay.name) range.last = 28;
  return range;
}

/// "~", "3~7", and as in OpenBSD "~7" or "3~".
Result<CronRange> parse_draw(const CronField& field, std::string_view text) {
  const auto tilde = text.find('~');
  CronRange range = all_drawn(field);
  const std::string_view first = text.substr(0, tilde);
  const std::string_view last = text.substr(tilde + 1);
  if (!first.empty()) {
    const auto value = parse_value(field, first);
    if (!value) return value.error();
    range.first = *value;
    range.last = std::max(range.last, range.first);
  }
  if (!last.empty()) {
    const auto value = parse_value(field, last);
    if (!value) return value.error();
    range.last = *value;
  }
  if (range.first <= range.last) return range;
  return wrong(field, text, "ends before it begins");
}

/// The part before a '/': "*", "5", "1-5" or "1~5".
Result<CronRange> parse_bounds(const CronField& field, std::string_view text) {
  if (text == "*") return CronRange{.first = field.first, .last = field.last, .open = true};
  if (text.find('~') != std::string_view::npos) return parse_draw(field, text);
  const auto dash = text.find('-');
  const auto first = parse_value(field, text.substr(0, dash));
  if (!first) return first.error();
  if (dash == std::string_view::npos)
    return CronRange{.first = first.value(), .last = first.value()};
  const auto last = parse_value(field, text.substr(dash + 1));
  if (!last) return last.error();
  CronRange range{.first = first.value(), .last = last.value()};
  const bool from_sunday = field.name == kWeekday.name && range.first == 7;
  if (range.first > range.last && from_sunday) range.first = 0;
  if (range.first <= range.last) return range;
  return wrong(field, text, "ends before it begins (split it at the end)");
}

Result<CronRange> parse_range(const CronField& field, std::string_view text) {
  const auto slash = text.find('/');
  auto bounds = parse_bounds(field, text.substr(0, slash));
  if (!bounds || slash == std::string_view::npos) return bounds;
  CronRange range = *bounds;
  const auto step = parse_number(text.substr(slash + 1));
  if (!step || *step == 0) return wrong(field, text, "has a step that is no positive number");
  if (!range.open && range.first == range.last) {
    return wrong(field, text,
                 "has a step but no range (" + std::to_string(range.first) + '-' +
                     std::to_string(field.last) + '/' + std::to_string(*step) + ')');
  }
  range.step = *step;
  return range;
}

CalendarDraw to_draw(CalendarField field, const CronRange& range) {
  return {field, range.first, range.last, range.step};
}

CalendarPart to_part(CalendarField field, const CronRange& range) {
  if (range.first + range.step > range.last) return {field, range.first};
  return {field, range.first, range.open ? CalendarPart::kOpen : range.last, range.step};
}

/// Whether the field is any value: only "*" and "*/1", since "0-23" counts as fixed hours.
bool is_star(const CronRange& range) { return range.open && range.step == 1; }

/// A star makes what stands beside it in the list needless.
Result<void> read_field(Calendar& calendar, CalendarField target, const CronField& field,
                        std::string_view text) {
  const auto parts = calendar.parts.size();
  const auto draws = calendar.draws.size();
  bool any = false;
  for (const std::string_view element : split(text, ',')) {
    const auto range = parse_range(field, element);
    if (!range) return range.error();
    any = any || is_star(*range);
    if (range->drawn) {
      calendar.draws.push_back(to_draw(target, *range));
    } else {
      calendar.parts.push_back(to_part(target, *range));
    }
  }
  if (any) {
    calendar.parts.resize(parts);
    calendar.draws.resize(draws);
  }
  return {};
}

Result<void> read_weekdays(Calendar& calendar, std::string_view text) {
  const auto draws = calendar.draws.size();
  unsigned weekdays = 0;
  for (const std::string_view element : split(text, ',')) {
    const auto range = parse_range(kWeekday, element);
    if (!range) return range.error();
    if (range->drawn) {
      calendar.draws.push_back(to_draw(CalendarField::weekday, *range));
      continue;
    }
    // "*/2" counts from Sunday, 0, and does not come to it again as 7.
    const std::int32_t last = range->open ? 6 : range->last;
    for (std::int32_t day = range->first; day <= last; day += range->step)
      weekdays |= weekday_bit(day);
  }
  if (weekdays == kAllWeekdays) calendar.draws.resize(draws);
  calendar.weekdays = static_cast<std::uint8_t>(weekdays);
  return {};
}

std::string part_text(const CalendarPart& part) {
  const FieldRange range = range_of(part.field);
  if (part.repeat == 0) return std::to_string(part.start);
  const bool star = part.stop == CalendarPart::kOpen && part.start == range.first;
  const std::int32_t stop = part.stop == CalendarPart::kOpen ? range.last : part.stop;
  std::string text = star ? "*" : std::to_string(part.start) + '-' + std::to_string(stop);
  if (part.repeat > 1) text += '/' + std::to_string(part.repeat);
  return text;
}

std::string draw_text(const CalendarDraw& drawn, const CronField& field) {
  const CronRange all = all_drawn(field);
  const bool is_all = drawn.first == all.first && drawn.last == all.last;
  std::string text = is_all ? "~" : std::to_string(drawn.first) + '~' + std::to_string(drawn.last);
  if (drawn.repeat > 0) text += '/' + std::to_string(drawn.repeat);
  return text;
}

/// `known`, and after it what is drawn of the field.
std::string with_draws(const Calendar& calendar, CalendarField field, const CronField& of,
                       std::string known) {
  for (const CalendarDraw& drawn : calendar.draws) {
    if (drawn.field == field) known += (known.empty() ? "" : ",") + draw_text(drawn, of);
  }
  return known.empty() ? "*" : known;
}

std::string field_text(const Calendar& calendar, CalendarField field, const CronField& of) {
  std::string text;
  for (const CalendarPart& part : parts_of(calendar, field)) {
    if (!text.empty()) text += ',';
    text += part_text(part);
  }
  return with_draws(calendar, field, of, std::move(text));
}

/// The four fields that have parts, in cron's order.
constexpr std::array kFields{
    std::pair(CalendarField::minute, kMinute), std::pair(CalendarField::hour, kHour),
    std::pair(CalendarField::day, kDay), std::pair(CalendarField::month, kMonth)};

}  // namespace

Result<Calendar> parse_cron(std::string_view text) {
  const auto words = split_words(text);
  if (words.size() != 5) {
    return Error("a cron schedule has five fields, not " + std::to_string(words.size()) +
                 ": write minute, hour, day, month and weekday, such as \"30 2 * * *\"");
  }
  Calendar calendar;
  calendar.parts.push_back({CalendarField::second, 0});
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const auto done = read_field(calendar, kFields[i].first, kFields[i].second, words[i]);
    if (!done) return done.error();
  }
  const auto done = read_weekdays(calendar, words[4]);
  if (!done) return done.error();
  calendar.day_or_weekday = words[2].front() != '*' && words[4].front() != '*';
  normalize(calendar);
  return calendar;
}

Result<Calendar> parse_cron_word(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWords{{
      {"@hourly", "0 * * * *"},
      {"@daily", "0 0 * * *"},
      {"@midnight", "0 0 * * *"},
      {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"},
      {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
  }};
  for (const auto& [word, fields] : kWords) {
    if (equals_ignoring_case(text, word)) return parse_cron(fields);
  }
  if (equals_ignoring_case(text, "@reboot")) {
    Calendar calendar;
    calendar.at_boot = true;
    return calendar;
  }
  return Error(
      "unknown word " + quoted(text) +
      ": write @reboot, @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually");
}

std::string cron_text(const Calendar& calendar) {
  if (calendar.at_boot) return "@reboot";
  std::string text;
  for (const auto& [field, of] : kFields)
    text += field_text(calendar, field, of) + ' ';
  return text + with_draws(calendar, CalendarField::weekday, kWeekday,
                           weekdays_text(calendar.weekdays, "-"));
}

}  // namespace lull
