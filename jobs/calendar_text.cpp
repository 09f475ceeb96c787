#include "jobs/calendar.hpp"
#include "jobs/calendar_parts.hpp"
#include "jobs/cron.hpp"

namespace lull {
namespace {

/// At least `width` digits, then the fraction if there is one.
std::string number_text(std::int32_t value, std::int32_t unit, std::size_t width) {
  std::string text = std::to_string(value / unit);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  if (value % unit == 0) return text;
  const std::string fraction = std::to_string(value % unit);
  return text + '.' + std::string(6 - fraction.size(), '0') + fraction;
}

std::string part_text(const CalendarPart& part, std::size_t width) {
  const std::int32_t unit = range_of(part.field).unit;
  const bool closed = part.stop != CalendarPart::kOpen;
  std::string text = number_text(part.start, unit, width);
  if (closed) text += ".." + number_text(part.stop, unit, width);
  if (part.repeat > 0 && !(closed && part.repeat == unit)) {
    text += '/' + number_text(part.repeat, unit, 1);
  }
  return text;
}

std::string component_text(const Calendar& calendar, CalendarField field) {
  const std::size_t width = field == CalendarField::year ? 4 : 2;
  std::string text;
  for (const CalendarPart& part : parts_of(calendar, field)) {
    if (!text.empty()) text += ',';
    text += part_text(part, width);
  }
  return text.empty() ? "*" : text;
}

}  // namespace

std::string to_string(const Calendar& calendar) {
  if (calendar.at_boot || calendar.day_or_weekday || !calendar.draws.empty()) {
    return cron_text(calendar);
  }
  const auto component = [&](CalendarField field) { return component_text(calendar, field); };
  std::string text = weekdays_text(calendar.weekdays, "..");
  if (!text.empty()) text += ' ';
  text += component(CalendarField::year) + '-' + component(CalendarField::month) +
          (calendar.days_from_end ? '~' : '-') + component(CalendarField::day) + ' ' +
          component(CalendarField::hour) + ':' + component(CalendarField::minute) + ':' +
          component(CalendarField::second);
  if (calendar.zone) text += ' ' + std::string(calendar.zone->name());
  return text;
}

}  // namespace lull
