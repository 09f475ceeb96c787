#include "jobs/zone_tail.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace lull {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year;

/// Takes what it reads off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }

  bool take(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::optional<unsigned> number() {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }

  /// "CET" or "<+03>", of which only the end matters.
  bool skip_abbreviation() {
    const bool quoted = take('<');
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto* end = quoted ? std::find(text_.begin(), text_.end(), '>')
                             : std::find_if_not(text_.begin(), text_.end(), is_letter);
    const auto length = static_cast<std::size_t>(end - text_.begin());
    text_.remove_prefix(length);
    return quoted ? take('>') : length > 0;
  }

  /// [+-]hh[:mm[:ss]]
  std::optional<seconds> time() {
    const bool negative = take('-');
    if (!negative) take('+');
    const auto whole = number();
    if (!whole || *whole > 167) return std::nullopt;
    seconds value = hours(*whole);
    for (seconds unit = minutes(1); unit >= seconds(1) && take(':'); unit /= 60) {
      const auto part = number();
      if (!part || *part > 59) return std::nullopt;
      value += *part * unit;
    }
    return negative ? -value : value;
  }

 private:
  std::string_view text_;
};

bool in_range(const TailDate& date) {
  switch (date.kind) {
    case TailDate::Kind::month_week_day:
      return date.month >= 1 && date.month <= 12 && date.week >= 1 && date.week <= 5 &&
             date.day <= 6;
    case TailDate::Kind::julian_without_leap_day:
      return date.day >= 1 && date.day <= 365;
    case TailDate::Kind::day_of_year:
      return date.day <= 365;
  }
  return false;
}

bool read_month_week_day(Scanner& in, TailDate& date) {
  for (unsigned* part : {&date.month, &date.week, &date.day}) {
    if (part != &date.month && !in.take('.')) return false;
    const auto value = in.number();
    if (!value) return false;
    *part = *value;
  }
  return true;
}

std::optional<TailDate> read_date(Scanner& in) {
  TailDate date;
  if (in.take('M')) {
    if (!read_month_week_day(in, date)) return std::nullopt;
  } else {
    date.kind =
        in.take('J') ? TailDate::Kind::julian_without_leap_day : TailDate::Kind::day_of_year;
    const auto day = in.number();
    if (!day) return std::nullopt;
    date.day = *day;
  }
  if (in.take('/')) {
    const auto time = in.time();
    if (!time) return std::nullopt;
    date.time = *time;
  }
  return in_range(date) ? std::optional(date) : std::nullopt;
}

/// What follows the abbreviation of summer time; its offset is an hour more than in winter unless
/// it is written.
std::optional<ZoneTail::Summer> read_summer(Scanner& in, seconds winter) {
  ZoneTail::Summer summer{.offset = winter + hours(1), .begin = {}, .end = {}};
  if (!in.take(',')) {
    const auto west = in.time();
    if (!west || !in.take(',')) return std::nullopt;
    summer.offset = -*west;
  }
  const auto begin = read_date(in);
  if (!begin || !in.take(',')) return std::nullopt;
  const auto end = read_date(in);
  if (!end) return std::nullopt;
  summer.begin = *begin;
  summer.end = *end;
  return summer;
}

CivilTime civil_of(const TailDate& date, year in) {
  const std::chrono::local_days new_year{in / 1 / 1};
  switch (date.kind) {
    case TailDate::Kind::month_week_day: {
      const std::chrono::month month(date.month);
      const std::chrono::weekday weekday(date.day);
      const std::chrono::local_days day =
          date.week == 5 ? std::chrono::local_days{in / month / weekday[std::chrono::last]}
                         : std::chrono::local_days{in / month / weekday[date.week]};
      return day + date.time;
    }
    case TailDate::Kind::julian_without_leap_day:
      return new_year + days(date.day - (in.is_leap() && date.day >= 60 ? 0 : 1)) + date.time;
    case TailDate::Kind::day_of_year:
      return new_year + days(date.day) + date.time;
  }
  return new_year;
}

struct Change {
  TimePoint at;
  seconds offset_after;
};

/// The changes of the year before, of the year and of the year after, in order.
std::array<Change, 6> changes_around(const ZoneTail& tail, const ZoneTail::Summer& summer,
                                     year in) {
  std::array<Change, 6> changes{};
  auto* out = changes.begin();
  for (const year each : {in - std::chrono::years(1), in, in + std::chrono::years(1)}) {
    *out++ = {TimePoint(civil_of(summer.begin, each).time_since_epoch() - tail.offset),
              summer.offset};
    *out++ = {TimePoint(civil_of(summer.end, each).time_since_epoch() - summer.offset),
              tail.offset};
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  return changes;
}

}  // namespace

std::optional<ZoneTail> parse_zone_tail(std::string_view text) {
  Scanner in(text);
  if (!in.skip_abbreviation()) return std::nullopt;
  const auto west = in.time();
  if (!west) return std::nullopt;
  ZoneTail tail{.offset = -*west, .summer = std::nullopt};
  if (in.at_end()) return tail;
  if (!in.skip_abbreviation()) return std::nullopt;
  tail.summer = read_summer(in, tail.offset);
  return tail.summer && in.at_end() ? std::optional(tail) : std::nullopt;
}

ZoneStretch stretch_of(const ZoneTail& tail, TimePoint instant) {
  if (!tail.summer) return {TimePoint::min(), TimePoint::max(), tail.offset};
  const std::chrono::year_month_day date(std::chrono::floor<days>(instant));
  const auto changes = changes_around(tail, *tail.summer, date.year());
  const auto* next = std::find_if(changes.begin() + 1, changes.end() - 1,
                                  [&](const Change& change) { return change.at > instant; });
  return {std::prev(next)->at, next->at, std::prev(next)->offset_after};
}

}  // namespace lull
