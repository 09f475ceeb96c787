#include "jobs/calendar.hpp"
#include "jobs/calendar_parts.hpp"
#include "jobs/stable_hash.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace lull {
namespace {

/// One of the values that `drawn` may begin with.
std::int32_t pick(const CalendarDraw& drawn, std::uint64_t chance) {
  const std::int32_t all = drawn.last - drawn.first + 1;
  const auto choice =
      static_cast<std::uint64_t>(drawn.repeat > 0 ? std::min(drawn.repeat, all) : all);
  return drawn.first + static_cast<std::int32_t>(chance % choice);
}

void put(Calendar& calendar, const CalendarDraw& drawn, std::int32_t first) {
  const std::int32_t last = drawn.repeat > 0 ? drawn.last : first;
  const std::int32_t step = std::max(drawn.repeat, 1);
  if (drawn.field == CalendarField::weekday) {
    unsigned weekdays = calendar.weekdays;
    for (std::int32_t day = first; day <= last; day += step)
      weekdays |= weekday_bit(day);
    calendar.weekdays = static_cast<std::uint8_t>(weekdays);
  } else if (first + step > last) {
    calendar.parts.push_back({drawn.field, first});
  } else {
    // A step without an end, as cron's "*/2": in a fold it comes on both passes.
    const bool open = drawn.last == range_of(drawn.field).last;
    calendar.parts.push_back({drawn.field, first, open ? CalendarPart::kOpen : last, step});
  }
}

}  // namespace

Calendar draw(Calendar calendar, std::string_view machine_id, std::string_view job) {
  const auto draws = std::exchange(calendar.draws, {});
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const std::string salted = std::string(job) + '\n' + std::to_string(i);
    put(calendar, draws[i], pick(draws[i], stable_hash(machine_id, salted)));
  }
  normalize(calendar);
  return calendar;
}

}  // namespace lull
