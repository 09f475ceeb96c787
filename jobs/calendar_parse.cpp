#include "jobs/calendar.hpp"
#include "jobs/calendar_parts.hpp"
#include "jobs/cron.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lull {
namespace {

constexpr std::string_view kFullNames[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool contains(std::string_view text, char c) { return text.find(c) != std::string_view::npos; }

bool begins_with_letter(std::string_view text) {
  return !text.empty() && contains(kLetters, text.front());
}

std::string range_text(const FieldRange& range) {
  return std::to_string(range.first / range.unit) + " to " +
         std::to_string(range.last / range.unit);
}

Error wrong(const FieldRange& range, std::string_view text, std::string_view why) {
  return Error(std::string(range.name) + ' ' + quoted(text) + ' ' + std::string(why));
}

/// Why a text is no number, by what people write.
Error no_number(const FieldRange& range, std::string_view text) {
  if (contains(text, '~')) {
    return wrong(range, text,
                 "counts from the month's end, which is not understood yet: "
                 "write a day that every month has, such as 28");
  }
  if (contains(text, '.')) {
    return wrong(range, text, "has a fraction, which is not understood yet: write whole seconds");
  }
  if (contains(text, '-')) return wrong(range, text, "is no number: write a range as 9..17");
  if (contains(text, '*')) {
    return wrong(range, text,
                 "mixes '*' with something else: write * alone, or a step as " +
                     std::to_string(range.first / range.unit) + "/15");
  }
  return wrong(range, text, "is no number: write " + range_text(range) + " or *");
}

/// systemd reads 26 as 2026 and 99 as 1999.
std::int32_t full_year(std::int32_t year) {
  if (year >= 100) return year;
  return year < 70 ? year + 2000 : year + 1900;
}

Result<std::int32_t> parse_value(CalendarField field, std::string_view text) {
  const FieldRange range = range_of(field);
  const auto number = parse_number(text);
  if (!number) return no_number(range, text);
  const std::int32_t value = field == CalendarField::year ? full_year(*number) : *number;
  if (value < range.first / range.unit || value > range.last / range.unit) {
    return wrong(range, text, "is out of range: write " + range_text(range));
  }
  return value * range.unit;
}

/// What follows the '/'. Like systemd, refuses a step that leads nowhere.
Result<std::int32_t> parse_step(CalendarField field, std::string_view element,
                                std::string_view text) {
  const FieldRange range = range_of(field);
  const auto number = parse_number(text);
  if (!number || *number == 0 || *number > range.last / range.unit) {
    return wrong(
        range, element,
        "has a step that is no number from 1 to " + std::to_string(range.last / range.unit));
  }
  return *number * range.unit;
}

/// "5" or "9..17".
Result<CalendarPart> parse_bounds(CalendarField field, std::string_view text) {
  const FieldRange range = range_of(field);
  const auto dots = text.find("..");
  const auto start = parse_value(field, text.substr(0, dots));
  if (!start) return start.error();
  if (dots == std::string_view::npos) return CalendarPart{field, start.value()};
  const auto stop = parse_value(field, text.substr(dots + 2));
  if (!stop) return stop.error();
  if (stop.value() < start.value()) {
    return wrong(range, text, "ends before it begins: write two ranges with a comma between");
  }
  return CalendarPart{field, start.value(), stop.value(), range.unit};
}

/// Bounds and perhaps a step: "0/15", "9..17/2".
Result<CalendarPart> parse_element(CalendarField field, std::string_view text) {
  const FieldRange range = range_of(field);
  const auto slash = text.find('/');
  const std::string_view bounds = text.substr(0, slash);
  auto bounded = parse_bounds(field, bounds);
  if (!bounded || slash == std::string_view::npos) return bounded;
  CalendarPart part = bounded.value();
  const auto step = parse_step(field, text, text.substr(slash + 1));
  if (!step) return step.error();
  part.repeat = step.value();
  if (part.stop == CalendarPart::kOpen && part.start + part.repeat > range.last) {
    return wrong(range, text, "never repeats: write " + std::string(bounds) + " alone");
  }
  return part;
}

Result<void> read_component(Calendar& calendar, CalendarField field, std::string_view text) {
  if (text == "*") return {};
  for (const std::string_view element : split(text, ',')) {
    const auto part = parse_element(field, element);
    if (!part) return part.error();
    calendar.parts.push_back(*part);
  }
  return {};
}

/// Hands each piece of a date or a time to its component.
Result<void> read_components(Calendar& calendar, const std::vector<std::string_view>& pieces,
                             CalendarField first) {
  auto field = static_cast<int>(first);
  for (const std::string_view piece : pieces) {
    const auto done = read_component(calendar, static_cast<CalendarField>(field++), piece);
    if (!done) return done.error();
  }
  return {};
}

Result<void> read_time(Calendar& calendar, std::string_view text) {
  if (contains(text, '-')) {
    return Error(quoted(text) +
                 " runs a date and a time together, or writes a range with '-': "
                 "write \"2026-11-22 02:30\" or \"9..17:00\"");
  }
  const auto pieces = split(text, ':');
  if (pieces.size() > 3) {
    return Error("time " + quoted(text) + " has too many parts: write hour:minute:second");
  }
  if (pieces.size() == 2) calendar.parts.push_back({CalendarField::second, 0});
  return read_components(calendar, pieces, CalendarField::hour);
}

Result<void> read_midnight(Calendar& calendar) { return read_time(calendar, "00:00:00"); }

Result<void> read_date(Calendar& calendar, std::string_view text) {
  if (contains(text, '~')) {
    return Error("date " + quoted(text) +
                 " counts from the month's end ('~'), which is not understood yet: write a day "
                 "that every month has, such as *-*-28");
  }
  const auto pieces = split(text, '-');
  if (pieces.size() == 2) return read_components(calendar, pieces, CalendarField::month);
  if (pieces.size() == 3) return read_components(calendar, pieces, CalendarField::year);
  return Error(quoted(text) +
               " is no weekday, date or time: write for example \"02:30\", \"Mon..Fri 18:00\", "
               "\"2026-11-22 02:30\", or cron's five fields \"30 2 * * *\"");
}

std::optional<int> weekday_of(std::string_view text) {
  for (std::size_t i = 0; i < kWeekdayNames.size(); ++i) {
    if (equals_ignoring_case(text, kWeekdayNames[i]) || equals_ignoring_case(text, kFullNames[i])) {
      return static_cast<int>(i);
    }
  }
  return std::nullopt;
}

/// One element of a list of weekdays as a set: "Mon", "Mon..Fri" or, as systemd has it, "Mon-Fri".
Result<unsigned> parse_weekday_range(std::string_view text) {
  const auto range = std::min(text.find('-'), text.find(".."));
  const auto width = range != std::string_view::npos && text[range] == '-' ? 1U : 2U;
  const std::string_view last_text =
      range == std::string_view::npos ? text : text.substr(range + width);
  const auto first = weekday_of(text.substr(0, range));
  const auto last = weekday_of(last_text);
  if (!first || !last) {
    return Error("unknown word " + quoted(text) +
                 ": write weekdays as Mon..Fri or Sat,Sun, or one of minutely, hourly, daily, "
                 "weekly, monthly, quarterly, semiannually, yearly");
  }
  if (*last < *first) {
    return Error("weekdays " + quoted(text) +
                 " end before they begin (the week begins with Mon): "
                 "write Sat,Sun,Mon rather than Sat..Mon");
  }
  return (kAllWeekdays >> (6 - (*last - *first))) << *first;
}

Result<void> read_weekdays(Calendar& calendar, std::string_view text) {
  if (text.back() == ',') text.remove_suffix(1);  // as systemd does
  for (const std::string_view element : split(text, ',')) {
    const auto days = parse_weekday_range(element);
    if (!days) return days.error();
    calendar.weekdays = static_cast<std::uint8_t>(calendar.weekdays | *days);
  }
  return {};
}

/// systemd's words, in OnCalendar's long form.
std::optional<std::string_view> long_form(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWords{{
      {"minutely", "*-*-* *:*:00"},
      {"hourly", "*-*-* *:00:00"},
      {"daily", "*-*-* 00:00:00"},
      {"weekly", "Mon *-*-* 00:00:00"},
      {"monthly", "*-*-01 00:00:00"},
      {"quarterly", "*-01,04,07,10-01 00:00:00"},
      {"semiannually", "*-01,07-01 00:00:00"},
      {"semi-annually", "*-01,07-01 00:00:00"},
      {"biannually", "*-01,07-01 00:00:00"},
      {"bi-annually", "*-01,07-01 00:00:00"},
      {"yearly", "*-01-01 00:00:00"},
      {"annually", "*-01-01 00:00:00"},
  }};
  const auto* found = std::find_if(kWords.begin(), kWords.end(), [&](const auto& entry) {
    return equals_ignoring_case(word, entry.first);
  });
  return found == kWords.end() ? std::nullopt : std::optional(found->second);
}

/// Takes a zone off the end. No other word that begins with a letter may stand there.
Result<void> take_zone(Calendar& calendar, std::vector<std::string_view>& words) {
  if (words.size() < 2 || !begins_with_letter(words.back())) return {};
  if (equals_ignoring_case(words.back(), "UTC")) {
    calendar.zone = Zone::utc();
  } else {
    const auto zone = Zone::find(words.back());
    if (!zone) return zone.error();
    calendar.zone = *zone;
  }
  words.pop_back();
  return {};
}

/// [weekdays] [date] [time], at least one of them.
Result<void> read_words(Calendar& calendar, const std::vector<std::string_view>& words) {
  auto word = words.begin();
  Result<void> done;
  if (begins_with_letter(*word)) done = read_weekdays(calendar, *word++);
  const bool has_date = word != words.end() && !contains(*word, ':');
  if (done && has_date) done = read_date(calendar, *word++);
  if (done) {
    const bool has_time = word != words.end() && contains(*word, ':');
    done = has_time ? read_time(calendar, *word++) : read_midnight(calendar);
  }
  if (done && word != words.end()) {
    return Error(quoted(*word) +
                 " is one word too many: write [weekdays] [date] [time] [zone], such as "
                 "\"Mon..Fri *-*-* 02:30:00 Europe/Berlin\"");
  }
  return done;
}

Result<Calendar> parse_on_calendar(std::vector<std::string_view> words) {
  Calendar calendar;
  auto done = take_zone(calendar, words);
  if (!done) return done.error();
  if (words.size() == 1) {
    if (const auto text = long_form(words.front())) words = split_words(*text);
  }
  done = read_words(calendar, words);
  if (!done) return done.error();
  normalize(calendar);
  return calendar;
}

/// Five fields without a ':', or more, as when the command was copied too.
bool looks_like_cron(const std::vector<std::string_view>& words) {
  return words.size() >= 5 && std::none_of(words.begin(), words.begin() + 5,
                                           [](const auto& word) { return contains(word, ':'); });
}

}  // namespace

Result<Calendar> parse_calendar(std::string_view text) {
  auto words = split_words(text);
  if (words.empty()) {
    return Error("the calendar expression is empty: write a time such as \"02:30\" or \"daily\"");
  }
  if (words.front().front() == '@') {
    return parse_cron_word(words.size() == 1 ? words.front() : text);
  }
  if (looks_like_cron(words)) return parse_cron(text);
  return parse_on_calendar(std::move(words));
}

}  // namespace lull
