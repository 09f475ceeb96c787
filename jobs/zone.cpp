#include "jobs/zone.hpp"

#include "jobs/zone_tail.hpp"

#include <date/tz.h>

#include <algorithm>
#include <exception>
#include <fstream>

namespace lull {

using std::chrono::seconds;

/// The listed transitions are the library's; from `tail_from` on the file's own rule holds.
struct ZoneRules {
  std::string name;
  const date::time_zone* listed = nullptr;  // lives as long as the process
  std::optional<ZoneTail> tail;
  TimePoint tail_from = TimePoint::max();
};

namespace {

constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo/";

/// No zone was ever further from UTC, and no change of clocks greater (a day, at the date line).
constexpr std::chrono::hours kFurthest(26);

/// From the last line of the zone's file, which the library does not read.
std::optional<ZoneTail> read_tail(const std::string& name) {
  std::ifstream file(std::string(kZoneFolder) + name, std::ios::binary);
  std::string last;
  for (std::string line; std::getline(file, line);)
    last = line;
  return parse_zone_tail(last);
}

ZoneStretch listed_stretch(const ZoneRules& rules, TimePoint instant) {
  const auto info = rules.listed->get_info(std::chrono::floor<seconds>(instant));
  return {info.begin, info.end, info.offset};
}

/// Where the listed transitions end: with the beginning of the stretch without an end.
TimePoint end_of_list(const ZoneRules& rules) {
  constexpr TimePoint kFarFuture = std::chrono::sys_days(std::chrono::year(9999) / 1 / 1);
  return listed_stretch(rules, kFarFuture).begin;
}

Error unknown_zone(std::string_view name) {
  return Error("unknown time zone \"" + std::string(name) +
               "\": write a name of the time-zone database such as \"Europe/Berlin\" or \"UTC\" "
               "(timedatectl list-timezones shows all)");
}

/// The library says both that a name is unknown and that there is no database by an exception.
Result<const date::time_zone*> locate(std::string_view name) {
  try {
    date::get_tzdb();
  } catch (const std::exception& problem) {
    return Error("no time-zone database (" + std::string(problem.what()) +
                 "): install the package tzdata");
  }
  try {
    const date::time_zone* zone = date::locate_zone(name);
    zone->get_info(date::sys_seconds());  // reads its file now, so that nothing can fail later
    return zone;
  } catch (const std::exception&) {
    return unknown_zone(name);
  }
}

}  // namespace

Result<Zone> Zone::find(std::string_view iana_name) {
  if (iana_name == "UTC") return Zone();
  const auto listed = locate(iana_name);
  if (!listed) return listed.error();
  auto rules = std::make_shared<ZoneRules>();
  rules->name = iana_name;
  rules->listed = *listed;
  rules->tail = read_tail(rules->name);
  if (rules->tail) rules->tail_from = end_of_list(*rules);
  return Zone(std::move(rules));
}

std::string_view Zone::name() const { return rules_ ? std::string_view(rules_->name) : "UTC"; }

ZoneStretch Zone::stretch_at(TimePoint instant) const {
  if (!rules_) return {TimePoint::min(), TimePoint::max(), seconds(0)};
  if (instant < rules_->tail_from) return listed_stretch(*rules_, instant);
  ZoneStretch stretch = stretch_of(*rules_->tail, instant);
  stretch.begin = std::max(stretch.begin, rules_->tail_from);
  return stretch;
}

seconds Zone::offset_at(TimePoint instant) const { return stretch_at(instant).offset; }

CivilTime Zone::to_civil(TimePoint instant) const {
  return CivilTime(instant.time_since_epoch() + offset_at(instant));
}

CivilInstants Zone::to_instants(CivilTime civil) const {
  using Kind = CivilInstants::Kind;
  const TimePoint as_utc(civil.time_since_epoch());
  if (!rules_) return {Kind::unique, as_utc, as_utc};
  // Every stretch that may show `civil` is looked at: nearly always one, else two.
  std::optional<TimePoint> first;
  std::optional<TimePoint> last;
  std::optional<TimePoint> after_gap;
  for (ZoneStretch stretch = stretch_at(as_utc - kFurthest);; stretch = stretch_at(stretch.end)) {
    const TimePoint here = as_utc - stretch.offset;
    if (here < stretch.begin) {
      if (!after_gap) after_gap = stretch.begin;
    } else if (here < stretch.end) {
      if (!first) first = here;
      last = here;
    }
    if (stretch.end > as_utc + kFurthest) break;
  }
  if (!first) return {Kind::gap, after_gap.value_or(as_utc), after_gap.value_or(as_utc)};
  return {*first == *last ? Kind::unique : Kind::fold, *first, *last};
}

bool is_zone_name(std::string_view text) { return text == "UTC" || locate(text).has_value(); }

namespace {

/// What follows ".../zoneinfo/" in a path, without the variants that count leap seconds or not.
std::optional<std::string> name_in_path(std::string_view path) {
  constexpr std::string_view kFolder = "zoneinfo/";
  const auto at = path.rfind(kFolder);
  if (at == std::string_view::npos) return std::nullopt;
  path.remove_prefix(at + kFolder.size());
  for (const std::string_view variant : {"posix/", "right/"}) {
    if (path.substr(0, variant.size()) == variant) path.remove_prefix(variant.size());
  }
  return path.empty() ? std::nullopt : std::optional<std::string>(path);
}

/// tzset(3): a name, perhaps after a colon, or a path; set but empty means UTC.
std::optional<std::string> name_in_tz(std::string_view tz) {
  if (!tz.empty() && tz.front() == ':') tz.remove_prefix(1);
  if (tz.empty()) return "UTC";
  return tz.front() == '/' ? name_in_path(tz) : std::optional<std::string>(tz);
}

/// The first line that is neither empty nor a comment.
std::optional<std::string> name_in_text(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  while (true) {
    const auto begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    if (text.front() != '#') return std::string(text.substr(0, text.find_first_of(kBlank)));
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
}

}  // namespace

std::string machine_zone_name(std::optional<std::string_view> tz_env,
                              std::optional<std::string_view> localtime_link_target,
                              std::optional<std::string_view> etc_timezone) {
  std::optional<std::string> name;
  if (tz_env) name = name_in_tz(*tz_env);
  if (!name && localtime_link_target) name = name_in_path(*localtime_link_target);
  if (!name && etc_timezone) name = name_in_text(*etc_timezone);
  return name.value_or("UTC");
}

}  // namespace lull
