#include "jobs/pause.hpp"

#include "jobs/rfc3339.hpp"
#include "jobs/time_of_day.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace lull {
namespace {

constexpr Duration kLongest = std::chrono::days(36'525);
constexpr const char* kWithoutEnd = "leave it out, and the pause lasts until `lull resume`";

/// The job's own and that of all, as far as there are any.
std::array<const HandPause*, 2> pauses_over(const HandPauses& pauses, std::string_view job) {
  const auto find = [&](std::string_view name) {
    const auto found = pauses.find(name);
    return found == pauses.end() ? nullptr : &found->second;
  };
  return {find(job), find(kAllJobs)};
}

bool ends_later(const HandPause& one, const HandPause& other) {
  return other.until && (!one.until || *one.until > *other.until);
}

}  // namespace

std::optional<HandPause> pause_of(const HandPauses& pauses, std::string_view job) {
  const auto [own, all] = pauses_over(pauses, job);
  if (own == nullptr && all == nullptr) return std::nullopt;
  if (own == nullptr || all == nullptr) return own == nullptr ? *all : *own;
  return ends_later(*all, *own) ? *all : *own;
}

bool holds_run(const HandPauses& pauses, std::string_view job, TimePoint started) {
  const auto over = pauses_over(pauses, job);
  return std::any_of(over.begin(), over.end(), [&](const HandPause* pause) {
    return pause != nullptr && pause->since >= started;
  });
}

std::optional<TimePoint> next_end(const HandPauses& pauses) {
  std::optional<TimePoint> next;
  for (const auto& [job, pause] : pauses) {
    if (pause.until && (!next || *pause.until < *next)) next = pause.until;
  }
  return next;
}

std::vector<std::string> take_ended(HandPauses& pauses, TimePoint now) {
  std::vector<std::string> ended;
  std::erase_if(pauses, [&](const auto& entry) {
    const auto& [job, pause] = entry;
    if (!pause.until || *pause.until > now) return false;
    ended.push_back(job);
    return true;
  });
  return ended;
}

std::string describe(const HandPause& pause, const Zone& zone) {
  if (!pause.until) return "paused by hand until `lull resume`";
  constexpr std::size_t kDate = 11;  // "2026-11-28 "
  constexpr std::string_view kWhole = ":00";
  std::string end = format_local(*pause.until, zone);
  const std::string begin = format_local(pause.since, zone);
  if (*pause.until - pause.since >= std::chrono::hours(1) || end.ends_with(kWhole)) {
    end.resize(end.size() - kWhole.size());
  }
  if (end.compare(0, kDate, begin, 0, kDate) == 0) end.erase(0, kDate);
  return "paused by hand until " + end;
}

Result<TimePoint> pause_for(std::string_view text, TimePoint now) {
  const auto length = parse_duration(text);
  if (!length) return length.error();
  if (*length <= Duration(0)) return Error("\"" + std::string(text) + "\" is no time at all");
  if (*length > kLongest) {
    return Error("\"" + std::string(text) + "\" is more than a hundred years: " + kWithoutEnd);
  }
  return now + *length;
}

Result<TimePoint> pause_until(std::string_view text, TimePoint now, const Zone& zone) {
  if (const auto time = parse_time_of_day(text)) return next_at(*time, now, zone);
  const auto time = parse_rfc3339(text);
  if (!time) {
    return Error("\"" + std::string(text) +
                 "\" is no time: write a time of day such as 14:30, or date, time and offset such "
                 "as 2026-11-22T02:30:00+01:00");
  }
  if (*time <= now) return Error("\"" + std::string(text) + "\" is in the past");
  if (*time - now > kLongest) {
    return Error("\"" + std::string(text) + "\" is more than a hundred years away: " + kWithoutEnd);
  }
  return *time;
}

}  // namespace lull
