#include "jobs/gates.hpp"

#include "jobs/time_of_day.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace lull {
namespace {

using std::chrono::minutes;

/// Gives way at the deadline.
Waiting soft(const char* gate, std::string reason, std::optional<TimePoint> until = {}) {
  return {gate, std::move(reason), false, until};
}

Waiting hard(const char* gate, std::string reason) {
  return {gate, std::move(reason), true, std::nullopt};
}

std::optional<Waiting> settle_gate(const World& world) {
  if (!world.settled || *world.settled <= world.now) return std::nullopt;
  return Waiting{"settle", "the machine was started or resumed just now", true, world.settled};
}

std::string charge(const PowerState& power) {
  if (!power.battery_percent) return "";
  return ", " + std::to_string(*power.battery_percent) + " % left";
}

/// For the seconds until it is known; then the gate has its own word.
std::optional<Waiting> asking_gate(const char* gate, const World& world) {
  if (!world.asking.contains(gate)) return std::nullopt;
  return hard(gate, "being asked");
}

std::optional<Waiting> power_gate(const GateSpec& when, const World& world) {
  if (auto asking = asking_gate("power", world)) return asking;
  if (!world.power || !world.power->on_battery) return std::nullopt;
  if (const auto* const source = std::get_if<PowerSource>(&when.power)) {
    if (*source == PowerSource::any) return std::nullopt;
    return soft("power", "on battery" + charge(*world.power));
  }
  const int above = std::get<BatteryAbove>(when.power).percent;
  const auto left = world.power->battery_percent;
  if (left && *left > above) return std::nullopt;
  return soft("power", "on battery" + charge(*world.power) + ", wanted more than " +
                           std::to_string(above) + " %");
}

std::optional<Waiting> away_gate(const GateSpec& when, const World& world) {
  if (!when.away) return std::nullopt;
  if (auto asking = asking_gate("away", world)) return asking;
  if (!world.here_because.empty()) return soft("away", "somebody is here: " + world.here_because);
  if (!world.user_away) {
    return soft("away", "nothing tells whether somebody is here (lull doctor)");
  }
  if (*world.user_away >= *when.away) return std::nullopt;
  const Duration ago = std::chrono::floor<std::chrono::seconds>(*world.user_away);
  return soft("away",
              "last input " + format_duration(ago) + " ago, wanted " + format_duration(*when.away),
              world.now + (*when.away - *world.user_away));
}

std::optional<Waiting> network_gate(const GateSpec& when, const World& world) {
  if (!when.network) return std::nullopt;
  if (auto asking = asking_gate("network", world)) return asking;
  if (!world.network || !world.network->up) return soft("network", "not connected");
  if (*when.network == NetworkNeed::up || !world.network->metered) return std::nullopt;
  return soft("network", "the connection is metered");
}

std::optional<Waiting> mounted_gate(const GateSpec& when, const World& world) {
  if (!when.mounted || world.mounted) return std::nullopt;
  if (const auto* const point = std::get_if<MountPoint>(&*when.mounted)) {
    return hard("mounted", "nothing is mounted at " + point->path);
  }
  return hard("mounted",
              "the file system " + std::get<VolumeUuid>(*when.mounted).uuid + " is not mounted");
}

std::optional<Waiting> exists_gate(const World& world) {
  if (world.missing.empty()) return std::nullopt;
  const MissingPath& first = world.missing.front();
  if (first.answered) return hard("exists", "there is no " + first.path);
  return hard("exists", "no answer yet whether there is " + first.path);
}

std::string clock(minutes time) {
  const std::string minute = std::to_string(100 + time.count() % 60).substr(1);
  return std::to_string(time / std::chrono::hours(1)) + ':' + minute;
}

bool is_inside(const Hours& hours, Duration time) {
  const auto [from, to] = hours;
  return from < to ? time >= from && time < to : time >= from || time < to;
}

std::optional<Waiting> hours_gate(const GateSpec& when, const World& world) {
  if (!when.hours) return std::nullopt;
  const auto [from, to] = *when.hours;
  const CivilTime local = world.zone.to_civil(world.now);
  if (is_inside(*when.hours, local - std::chrono::floor<std::chrono::days>(local)))
    return std::nullopt;
  return soft("hours", "only from " + clock(from) + " to " + clock(to),
              next_at(from, world.now, world.zone));
}

std::optional<Waiting> after_gate(const World& world) {
  if (world.to_succeed.empty()) return std::nullopt;
  std::string names = world.to_succeed.front();
  for (std::size_t i = 1; i < world.to_succeed.size(); ++i)
    names += ", " + world.to_succeed[i];
  return hard("after", names + " must succeed first");
}

std::optional<Waiting> check_gate(const GateSpec& when, const World& world) {
  if (when.check.empty()) return std::nullopt;
  if (!world.check) return hard("check", when.check.front() + " has not answered yet");
  if (world.check->kind == CheckAnswer::Kind::go) return std::nullopt;
  const bool failed = world.check->kind == CheckAnswer::Kind::failed;
  return hard("check", when.check.front() + ' ' + world.check->detail +
                           (failed ? ": an error" : ": not now"));
}

/// EX_TEMPFAIL of sysexits.h.
constexpr int kNotNow = 75;

}  // namespace

CheckAnswer check_answer(const Ending& ending) {
  using Kind = CheckAnswer::Kind;
  if (ending.outcome == Outcome::success) return {Kind::go, ""};
  if (ending.outcome == Outcome::timed_out) return {Kind::failed, "gave no answer in time"};
  if (ending.exit_code) {
    const Kind kind = *ending.exit_code == kNotNow ? Kind::not_now : Kind::failed;
    return {kind, "exited with " + std::to_string(*ending.exit_code)};
  }
  if (ending.signal) {
    return {Kind::failed, "was killed by signal " + std::to_string(*ending.signal)};
  }
  return {Kind::failed, "could not be run: " + ending.detail};
}

std::optional<TimePoint> next_hours_change(const GateSpec& when, TimePoint now, const Zone& zone) {
  if (!when.hours) return std::nullopt;
  return std::min(next_at(when.hours->from, now, zone), next_at(when.hours->to, now, zone));
}

std::vector<Waiting> shut_gates(const GateSpec& when, const World& world) {
  std::vector<Waiting> waiting;
  for (auto& gate : {settle_gate(world), power_gate(when, world), away_gate(when, world),
                     network_gate(when, world), mounted_gate(when, world), exists_gate(world),
                     hours_gate(when, world), after_gate(world)}) {
    if (gate && (gate->hard || !world.overdue)) waiting.push_back(*gate);
  }
  if (waiting.empty()) {
    if (auto gate = check_gate(when, world)) waiting.push_back(std::move(*gate));
  }
  return waiting;
}

std::vector<Waiting> lost_gates(const GateSpec& when, const World& world) {
  GateSpec lasting = when;
  lasting.check.clear();
  World running = world;
  running.settled.reset();
  running.to_succeed.clear();
  std::vector<Waiting> lost = shut_gates(lasting, running);
  std::erase_if(lost, [&](const Waiting& gate) { return world.asking.contains(gate.gate); });
  return lost;
}

}  // namespace lull
