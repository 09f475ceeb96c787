#include "config/job_sections.hpp"

#include <array>

namespace lull::config {
namespace {

constexpr Duration kLeast = std::chrono::milliseconds(100);

/// A threshold for entering a state, and the lower one for leaving it.
struct Pair {
  const char* enter;
  double ForegroundSettings::*enter_value;
  const char* leave;
  double ForegroundSettings::*leave_value;
};

constexpr std::array kPairs{
    Pair{"busy_cpu", &ForegroundSettings::busy_cpu, "calm_cpu", &ForegroundSettings::calm_cpu},
    Pair{"busy_io", &ForegroundSettings::busy_io, "calm_io", &ForegroundSettings::calm_io},
    Pair{"strained", &ForegroundSettings::strained, "relieved", &ForegroundSettings::relieved}};

std::optional<double> read_percent(const Value& value) {
  const auto text = read_text(value, R"("25%")");
  if (!text) return std::nullopt;
  const auto share = parse_percent(*text);
  if (share) return *share;
  value.wrong(share.error());
  return std::nullopt;
}

/// A state that is left above where it is entered would be left and entered for ever. Written
/// alone, the first of a pair takes the other along.
void read_pair(const Section& section, const Pair& pair, ForegroundSettings& settings) {
  const auto enter = section.get(pair.enter);
  const auto leave = section.get(pair.leave);
  const double proportion = settings.*pair.leave_value / settings.*pair.enter_value;
  if (const auto value = read_percent(enter)) {
    settings.*pair.enter_value = *value;
    settings.*pair.leave_value = *value * proportion;
  }
  const auto value = read_percent(leave);
  if (!value) return;
  if (*value > settings.*pair.enter_value) {
    leave.wrong("is more than '" + std::string(pair.enter) + "': write less than that");
  } else {
    settings.*pair.leave_value = *value;
  }
}

}  // namespace

ForegroundSettings read_foreground(const Section& section) {
  ForegroundSettings settings;
  for (const Pair& pair : kPairs)
    read_pair(section, pair, settings);
  assign(settings.idle_cpu, read_percent(section.get("idle_cpu")));
  assign(settings.light_after, read_duration(section.get("light_after"), kLeast));
  assign(settings.idle_after, read_duration(section.get("idle_after"), kLeast));
  assign(settings.away_after, read_duration(section.get("away_after"), kLeast));
  return settings;
}

}  // namespace lull::config
