#include "jobs/run.hpp"

#include <array>

namespace lull {
namespace {

constexpr std::array kTriggers{Trigger::schedule, Trigger::manual, Trigger::catch_up,
                               Trigger::retry};
constexpr std::array kOutcomes{Outcome::success,   Outcome::failed,       Outcome::timed_out,
                               Outcome::stopped,   Outcome::spawn_failed, Outcome::interrupted,
                               Outcome::lost_race, Outcome::skipped};

template <class Enum, std::size_t N>
Result<Enum> parse_name(const std::array<Enum, N>& values, std::string_view text,
                        std::string_view noun) {
  std::string names;
  for (const auto value : values) {
    if (to_string(value) == text) return value;
    names.append(names.empty() ? "" : ", ").append(to_string(value));
  }
  return Error("unknown " + std::string(noun) + " \"" + std::string(text) + "\": write one of " +
               names);
}

}  // namespace

std::string_view to_string(Trigger trigger) {
  switch (trigger) {
    case Trigger::schedule:
      return "schedule";
    case Trigger::manual:
      return "manual";
    case Trigger::catch_up:
      return "catch-up";
    case Trigger::retry:
      return "retry";
  }
  return "schedule";
}

Result<Trigger> parse_trigger(std::string_view text) {
  return parse_name(kTriggers, text, "trigger");
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
      return "success";
    case Outcome::failed:
      return "failed";
    case Outcome::timed_out:
      return "timed-out";
    case Outcome::stopped:
      return "stopped";
    case Outcome::spawn_failed:
      return "spawn-failed";
    case Outcome::interrupted:
      return "interrupted";
    case Outcome::lost_race:
      return "lost-race";
    case Outcome::skipped:
      return "skipped";
  }
  return "failed";
}

Result<Outcome> parse_outcome(std::string_view text) {
  return parse_name(kOutcomes, text, "outcome");
}

}  // namespace lull
