#pragma once

#include "jobs/calendar.hpp"
#include "jobs/result.hpp"

#include <string>
#include <string_view>

namespace lull {

/// Reads the five fields of a crontab(5) line: minute, hour, day of month, month, day of week, with
/// lists, ranges, steps, English names, and 7 for Sunday. Vixie's rule holds: if neither the day
/// nor the weekday field begins with '*', one of the two is enough, else both must match. As in
/// cronie and OpenBSD "3~7" is one value from 3 to 7, "~" one of all, and as in the latter "~/15"
/// begins a step by chance; but the day of "~" is one that every month has.
Result<Calendar> parse_cron(std::string_view text);

/// Reads one of cron's words: "@daily", "@weekly" (on Sunday, other than systemd's "weekly"),
/// "@reboot" …
Result<Calendar> parse_cron_word(std::string_view text);

/// Cron's form of a calendar that came from cron, without its seconds, year and zone.
std::string cron_text(const Calendar& calendar);

}  // namespace lull
