#include "jobs/time_of_day.hpp"

#include <algorithm>
#include <charconv>

namespace lull {

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
  constexpr int kMinutesOfDay = 24 * 60;
  const auto colon = text.find(':');
  if (colon != 1 && colon != 2) return std::nullopt;
  const auto hour_digits = text.substr(0, colon);
  const auto minute_digits = text.substr(colon + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (minute_digits.size() != 2 || !std::all_of(hour_digits.begin(), hour_digits.end(), is_digit) ||
      !std::all_of(minute_digits.begin(), minute_digits.end(), is_digit)) {
    return std::nullopt;
  }
  int hour = 0;
  int minute = 0;
  std::from_chars(hour_digits.data(), hour_digits.data() + hour_digits.size(), hour);
  std::from_chars(minute_digits.data(), minute_digits.data() + minute_digits.size(), minute);
  if (minute > 59 || hour * 60 + minute > kMinutesOfDay) return std::nullopt;
  return std::chrono::minutes(hour * 60 + minute);
}

TimePoint next_at(std::chrono::minutes time, TimePoint now, const Zone& zone) {
  using std::chrono::days;
  auto day = std::chrono::floor<days>(zone.to_civil(now));
  for (;; day += days(1)) {
    const CivilInstants instants = zone.to_instants(day + time);
    for (const TimePoint instant : {instants.first, instants.last}) {
      if (instant > now) return instant;
    }
  }
}

}  // namespace lull
