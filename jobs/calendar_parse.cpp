#include "jobs/calendar.hpp"
#include "jobs/calendar_parts.hpp"
#include "jobs/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
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

/// A component, or the day as it counts from the month's end.
struct Component {
  CalendarField field = CalendarField::year;
  FieldRange range;
  bool from_end = false;
};

Component component_of(CalendarField field) { return {field, range_of(field)}; }

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
    return wrong(range, text, "counts from the month's end: only a day can, as in *-*~1");
  }
  if (contains(text, '.') && range.unit == 1) {
    return wrong(range, text,
                 "has a fraction: only seconds have, and a range has two dots, as 9..17");
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

/// Seconds in microseconds: whole ones, and perhaps a fraction, of which as in systemd the seventh
/// digit rounds.
std::optional<std::int32_t> parse_seconds(std::string_view text) {
  constexpr std::int32_t kMost = 1000;  // more are out of range, and must not overflow
  const auto point = text.find('.');
  const auto whole = parse_number(text.substr(0, point));
  if (!whole) return std::nullopt;
  std::int32_t micros = std::min(*whole, kMost) * kMicrosPerSecond;
  if (point == std::string_view::npos) return micros;
  const std::string_view digits = text.substr(point + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::int32_t worth = kMicrosPerSecond / 10;
  for (const char digit : digits.substr(0, 6)) {
    micros += (digit - '0') * worth;
    worth /= 10;
  }
  if (digits.size() > 6 && digits[6] >= '5') ++micros;
  return micros;
}

/// In the component's own counting; whether it is in range is another question.
std::optional<std::int32_t> parse_units(const Component& of, std::string_view text) {
  if (of.field == CalendarField::second) return parse_seconds(text);
  const auto number = parse_number(text);
  return number && of.field == CalendarField::year ? full_year(*number) : number;
}

Result<std::int32_t> parse_value(const Component& of, std::string_view text) {
  const auto value = parse_units(of, text);
  if (!value) return no_number(of.range, text);
  if (*value < of.range.first || *value > of.range.last) {
    return wrong(of.range, text, "is out of range: write " + range_text(of.range));
  }
  return *value;
}

/// What follows the '/'. Like systemd, refuses a step that leads nowhere.
Result<std::int32_t> parse_step(const Component& of, std::string_view element,
                                std::string_view text) {
  const auto step = of.field == CalendarField::second ? parse_seconds(text) : parse_number(text);
  if (!step || *step == 0 || *step > of.range.last) {
    return wrong(
        of.range, element,
        "has a step that is no number from 1 to " + std::to_string(of.range.last / of.range.unit));
  }
  return *step;
}

/// "5" or "9..17".
Result<CalendarPart> parse_bounds(const Component& of, std::string_view text) {
  const auto dots = text.find("..");
  const auto start = parse_value(of, text.substr(0, dots));
  if (!start) return start.error();
  if (dots == std::string_view::npos) return CalendarPart{of.field, start.value()};
  const auto stop = parse_value(of, text.substr(dots + 2));
  if (!stop) return stop.error();
  if (stop.value() < start.value()) {
    return wrong(of.range, text, "ends before it begins: write two ranges with a comma between");
  }
  return CalendarPart{of.field, start.value(), stop.value(), of.range.unit};
}

/// Whether a step without an end comes to a second value.
bool repeats(const Component& of, const CalendarPart& part) {
  return of.from_end ? part.start - part.repeat >= of.range.first
                     : part.start + part.repeat <= of.range.last;
}

/// Bounds and perhaps a step: "0/15", "9..17/2".
Result<CalendarPart> parse_element(const Component& of, std::string_view text) {
  const auto slash = text.find('/');
  const std::string_view bounds = text.substr(0, slash);
  auto bounded = parse_bounds(of, bounds);
  if (!bounded) return bounded.error();
  CalendarPart part = bounded.value();
  if (slash == std::string_view::npos) {
    if (part.stop != CalendarPart::kOpen && of.range.unit > 1 &&
        part.stop - part.start < of.range.unit) {
      return wrong(of.range, text, "is less than a second: give it a step, as 0..0.5/0.1");
    }
    return part;
  }
  const auto step = parse_step(of, text, text.substr(slash + 1));
  if (!step) return step.error();
  part.repeat = step.value();
  if (part.stop == CalendarPart::kOpen && !repeats(of, part)) {
    return wrong(of.range, text, "never repeats: write " + std::string(bounds) + " alone");
  }
  return part;
}

Result<void> read_component(Calendar& calendar, const Component& of, std::string_view text) {
  if (text == "*") return {};
  for (const std::string_view element : split(text, ',')) {
    const auto part = parse_element(of, element);
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
    Component of = component_of(static_cast<CalendarField>(field++));
    if (of.field == CalendarField::day && calendar.days_from_end) {
      of = {CalendarField::day, kDaysFromEnd, true};
    }
    const auto done = read_component(calendar, of, piece);
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

/// Before the day may stand a '~' instead of the '-'.
Result<void> read_date(Calendar& calendar, std::string_view text) {
  const auto tilde = text.rfind('~');
  auto pieces = split(text.substr(0, tilde), '-');
  if (tilde != std::string_view::npos) {
    calendar.days_from_end = true;
    pieces.push_back(text.substr(tilde + 1));
  }
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

/// What follows the '@': seconds since 1970, the one date that is UTC's by itself.
Result<Calendar> parse_unix_time(std::string_view text) {
  constexpr std::int64_t kMost = 7'258'118'399;  // the last second of 2199, as in systemd
  std::int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem != std::errc() || end != text.data() + text.size() || seconds > kMost) {
    return Error("\"@" + std::string(text) +
                 "\" is no time: write the seconds since 1970, up to @" + std::to_string(kMost));
  }
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  Calendar calendar;
  calendar.zone = Zone::utc();
  calendar.parts = {{CalendarField::year, int(date.year())},
                    {CalendarField::month, static_cast<std::int32_t>(unsigned(date.month()))},
                    {CalendarField::day, static_cast<std::int32_t>(unsigned(date.day()))},
                    {CalendarField::hour, static_cast<std::int32_t>(clock.hours().count())},
                    {CalendarField::minute, static_cast<std::int32_t>(clock.minutes().count())},
                    {CalendarField::second,
                     static_cast<std::int32_t>(clock.seconds().count()) * kMicrosPerSecond}};
  return calendar;
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
    const std::string_view word = words.size() == 1 ? words.front() : text;
    const bool is_time = word.size() > 1 && contains("0123456789", word[1]);
    return is_time ? parse_unix_time(word.substr(1)) : parse_cron_word(word);
  }
  if (looks_like_cron(words)) return parse_cron(text);
  return parse_on_calendar(std::move(words));
}

}  // namespace lull
