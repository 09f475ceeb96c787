#pragma once

#include "jobs/result.hpp"
#include "jobs/units.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace lull {

/// What a wall clock shows: a date and a time of day that mean nothing without a zone.
using CivilTime = std::chrono::local_time<Duration>;

/// A maximal piece [begin, end) of a zone's time with one offset from UTC (east is positive).
struct ZoneStretch {
  TimePoint begin;
  TimePoint end;
  std::chrono::seconds offset{0};
  bool operator==(const ZoneStretch&) const = default;
};

/// When a zone's clocks show one civil time. `unique`: first == last. `gap` (the clocks jump over
/// it): both are the first instant after the gap. `fold` (they show it twice): the two passes.
struct CivilInstants {
  enum class Kind { unique, gap, fold };
  Kind kind = Kind::unique;
  TimePoint first;
  TimePoint last;
  bool operator==(const CivilInstants&) const = default;
};

struct ZoneRules;

/// A time zone of the system's database, or UTC: a cheap value (one pointer). The database is
/// opened by the first find() of anything but UTC, and only the zones that are used are loaded. All
/// that knows the time-zone library is in zone.cpp, so that another one can replace it. The
/// conversions are meant for the years 1 to 9999.
class Zone {
 public:
  /// UTC.
  Zone() = default;
  static Zone utc() { return {}; }

  /// The zone with an IANA name such as "Europe/Berlin" or "UTC". An unknown name is an error that
  /// says where the names come from.
  static Result<Zone> find(std::string_view iana_name);

  /// The name it was found by; "UTC" for UTC.
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] ZoneStretch stretch_at(TimePoint instant) const;
  [[nodiscard]] std::chrono::seconds offset_at(TimePoint instant) const;
  [[nodiscard]] CivilTime to_civil(TimePoint instant) const;
  [[nodiscard]] CivilInstants to_instants(CivilTime civil) const;

  bool operator==(const Zone& other) const { return name() == other.name(); }

 private:
  explicit Zone(std::shared_ptr<const ZoneRules> rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const ZoneRules> rules_;  // null: UTC
};

/// Whether find() would succeed.
bool is_zone_name(std::string_view text);

/// The machine's zone from what others have read: $TZ ("Europe/Berlin" or ":Europe/Berlin", also a
/// path below a zoneinfo folder), else the target of the link /etc/localtime, else the text of
/// /etc/timezone, else "UTC". What is absent is nullopt. Pure: whether the name exists is for
/// find().
std::string machine_zone_name(std::optional<std::string_view> tz_env,
                              std::optional<std::string_view> localtime_link_target,
                              std::optional<std::string_view> etc_timezone);

}  // namespace lull
