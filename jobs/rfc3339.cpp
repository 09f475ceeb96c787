#include "jobs/rfc3339.hpp"

#include <date/date.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace lull {
namespace {

std::string format_civil(CivilTime civil, char separator) {
  using namespace std::chrono;
  const auto day = floor<days>(civil);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(civil) - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02u%c%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), separator,
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

/// ".25" for 250,000 microseconds, nothing for none.
std::string format_fraction(std::int64_t micros) {
  if (micros == 0) return "";
  std::string digits = std::to_string(1'000'000 + micros).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  return "." + digits;
}

std::string format_offset(std::chrono::seconds offset) {
  const auto minutes = std::abs(offset.count()) / 60;  // RFC 3339 knows no seconds here
  std::array<char, 16> text{};
  const int size = std::snprintf(text.data(), text.size(), "%c%02ld:%02ld",
                                 offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string format_rfc3339(TimePoint time, const Zone& zone) {
  const CivilTime civil = zone.to_civil(time);
  const auto fraction = civil - std::chrono::floor<std::chrono::seconds>(civil);
  return format_civil(civil, 'T') + format_fraction(fraction.count()) +
         format_offset(zone.offset_at(time));
}

Result<TimePoint> parse_rfc3339(std::string_view text) {
  constexpr std::size_t kDate = 10;  // "2026-11-22"
  std::string plain(text);
  if (plain.size() > kDate && (plain[kDate] == ' ' || plain[kDate] == 't')) plain[kDate] = 'T';
  if (!plain.empty() && (plain.back() == 'Z' || plain.back() == 'z')) {
    plain.replace(plain.size() - 1, 1, "+00:00");
  }
  std::istringstream in(plain);
  TimePoint time;
  in >> date::parse("%FT%T%Ez", time);
  if (!in.fail() && in.peek() == std::istringstream::traits_type::eof()) return time;
  return Error("\"" + std::string(text) +
               "\" is no time: write date, time and offset, such as 2026-11-22T02:30:00+01:00");
}

std::string format_local(TimePoint time, const Zone& zone) {
  return format_civil(zone.to_civil(time), ' ');
}

}  // namespace lull
