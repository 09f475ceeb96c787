#include "config/job_sections.hpp"
#include "jobs/time_of_day.hpp"

#include <algorithm>
#include <chrono>

namespace lull::config {
namespace {

constexpr Duration kLeast = std::chrono::milliseconds(1);
constexpr int kMinutesOfDay = 24 * 60;

constexpr std::array kPower{Choice<PowerSource>{"ac", PowerSource::ac},
                            Choice<PowerSource>{"any", PowerSource::any}};
constexpr std::array kNetwork{Choice<NetworkNeed>{"up", NetworkNeed::up},
                              Choice<NetworkNeed>{"unmetered", NetworkNeed::unmetered}};
constexpr std::array kLost{Choice<GateLost>{"continue", GateLost::keep_running},
                           Choice<GateLost>{"pause", GateLost::pause},
                           Choice<GateLost>{"stop", GateLost::stop}};

// As /dev/disk/by-uuid has them: ext4, btrfs, xfs …; FAT and exFAT; NTFS and UDF; ISO 9660.
constexpr std::array<std::string_view, 4> kUuidForms{"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
                                                     "xxxx-xxxx", "xxxxxxxxxxxxxxxx",
                                                     "xxxx-xx-xx-xx-xx-xx-xx"};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_form(std::string_view text, std::string_view form) {
  return std::equal(text.begin(), text.end(), form.begin(), form.end(),
                    [](char c, char f) { return f == 'x' ? is_hex(c) : c == f; });
}

/// A string of the closed set, or else the table that `alternative` describes.
template <class Enum, std::size_t N>
std::optional<Enum> read_word(const Value& value, const std::array<Choice<Enum>, N>& choices,
                              std::string_view alternative) {
  if (const auto* const text = value.node().as_string()) {
    return match_choice(value, text->get(), choices);
  }
  value.wrong_type(quoted(choices[0].name).append(" or ").append(alternative));
  return std::nullopt;
}

void read_power(const Section& section, GateSpec& when) {
  const auto value = section.get("power");
  const auto table = section.inner("power", value);
  const auto percent = table.get("battery_above");
  if (!value) return;
  if (!value.node().is_table()) {
    assign(when.power, read_word(value, kPower, "{ battery_above = 40 }"));
  } else if (!percent) {
    value.wrong("has no 'battery_above': write { battery_above = 40 }");
  } else if (const auto above = read_whole(percent, 1, 99)) {
    when.power = BatteryAbove{*above};
  }
}

std::optional<VolumeUuid> read_uuid(const Value& value) {
  auto text = read_text(value, R"("0a1b2c3d-0123-4567-89ab-0123456789ab")");
  if (!text) return std::nullopt;
  const auto fits = [&](std::string_view form) { return has_form(*text, form); };
  if (!std::any_of(kUuidForms.begin(), kUuidForms.end(), fits)) {
    value.wrong(Error(quoted(*text) +
                      " is no UUID of a file system: write what `lsblk -o NAME,UUID` shows"));
    return std::nullopt;
  }
  // The kernel and udev write the long form small; the others as their file systems do.
  if (has_form(*text, kUuidForms[0])) {
    for (char& c : *text)
      c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return VolumeUuid{std::move(*text)};
}

void read_mounted(const Section& section, const Home& home, GateSpec& when) {
  const auto value = section.get("mounted");
  const auto table = section.inner("mounted", value);
  const auto uuid = table.get("uuid");
  if (!value) return;
  if (value.node().is_string()) {
    if (auto path = read_path(value, home)) when.mounted = MountPoint{std::move(*path)};
  } else if (!value.node().is_table()) {
    value.wrong_type(R"("/mnt/nas" or { uuid = "…" })");
  } else if (!uuid) {
    value.wrong(R"(has no 'uuid': write { uuid = "…" } with what `lsblk -o NAME,UUID` shows)");
  } else if (auto volume = read_uuid(uuid)) {
    when.mounted = std::move(*volume);
  }
}

std::vector<std::string> read_exists(const Value& value, const Home& home) {
  std::vector<std::string> paths;
  if (!value) return paths;
  const auto* const list = value.node().as_array();
  if (list == nullptr) {
    if (auto path = read_path(value, home)) paths.push_back(std::move(*path));
    return paths;
  }
  if (list->empty()) value.wrong("is an empty list: leave it out, or write a path");
  for (const auto& node : *list) {
    if (auto path = read_path(value.element(node), home)) paths.push_back(std::move(*path));
  }
  return paths;
}

std::optional<Hours> read_hours(const Value& value) {
  const auto text = read_text(value, R"("22:00-07:00")");
  if (!text) return std::nullopt;
  const auto dash = text->find('-');
  const auto from = parse_time_of_day(std::string_view(*text).substr(0, dash));
  const auto to = dash == std::string::npos
                      ? std::nullopt
                      : parse_time_of_day(std::string_view(*text).substr(dash + 1));
  if (!from || !to || from->count() == kMinutesOfDay) {
    value.wrong(Error(quoted(*text) +
                      R"( is no range of hours: write two times of day, such as "22:00-07:00")"));
  } else if (*from == *to) {
    value.wrong(
        "begins when it ends: leave it out for the whole day, or write two different times");
  } else {
    return Hours{*from, *to};
  }
  return std::nullopt;
}

std::vector<std::string> read_after(const Value& value, std::string_view job) {
  const auto names = read_names(
      value, {is_job_name, "a job's name",
              "the name of its file without .toml (a-z, 0-9, '.', '_' and '-')", R"(["prune"])"});
  if (!names) return {};
  if (!job.empty() && std::find(names->begin(), names->end(), job) != names->end()) {
    value.wrong("names the job itself, which would wait for ever: remove " + quoted(job));
  }
  return *names;
}

}  // namespace

GateSpec read_when(const Section& section, const JobReading& reading) {
  GateSpec when;
  read_power(section, when);
  when.away = read_duration(section.get("away"), kLeast);
  when.network = read_choice(section.get("network"), kNetwork);
  read_mounted(section, reading.home, when);
  when.exists = read_exists(section.get("exists"), reading.home);
  when.hours = read_hours(section.get("hours"));
  assign(when.check,
         read_program(section.get("check"), R"(["/usr/local/bin/nas-up"])", reading.home));
  when.after = read_after(section.get("after"), reading.job);
  assign(when.lost, read_choice(section.get("lost"), kLost));
  return when;
}

}  // namespace lull::config
