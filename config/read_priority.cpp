#include "config/job_sections.hpp"

#include <chrono>

namespace lull::config {
namespace {

constexpr Duration kLeast = std::chrono::milliseconds(1);
constexpr int kLowestNice = -20;
constexpr int kHighestNice = 19;
constexpr std::string_view kLevelExample = R"({ nice = 10, io = "best-effort:7" })";

constexpr std::array kPause{Choice<PauseMethod>{"freeze", PauseMethod::freeze},
                            Choice<PauseMethod>{"stop", PauseMethod::stop},
                            Choice<PauseMethod>{"terminate", PauseMethod::terminate},
                            Choice<PauseMethod>{"never", PauseMethod::never}};
constexpr std::array kPolicyNames{
    Choice<Policy>{"important", Policy::important}, Choice<Policy>{"standard", Policy::standard},
    Choice<Policy>{"utility", Policy::utility},     Choice<Policy>{"throttle", Policy::throttle},
    Choice<Policy>{"passive", Policy::passive},
};

std::optional<int> read_nice(const Value& value, const JobContext& context) {
  const auto nice = read_whole(value, kLowestNice, kHighestNice);
  if (!nice || *nice >= context.lowest_nice) return nice;
  const auto lowest = std::to_string(context.lowest_nice);
  value.wrong("is " + std::to_string(*nice) + ", and this instance may set no less than " + lowest +
              ": write " + lowest + " or more, or allow it with LimitNICE=" +
              std::to_string(*nice) + " (RLIMIT_NICE) or the system instance");
  return std::nullopt;
}

/// Reads the level of one state over `level`, which is the policy's. The section is opened even
/// where the key is absent, so that a lost `nice` or `io` is told where it belongs.
void read_level(const Section& section, std::string_view state, const JobContext& context,
                Level& level) {
  const auto value = section.get(state);
  const auto table = section.inner(state, value);
  assign(level.nice, read_nice(table.get("nice"), context));
  assign(level.io, read_io(table.get("io"), context));
  if (!value || value.node().is_table()) return;
  if (const auto* const text = value.node().as_string();
      text != nullptr && text->get() == "pause") {
    return value.wrong(
        std::string("cannot be \"pause\", only 'strained' can: write a level, such as ")
            .append(kLevelExample));
  }
  value.wrong_type(std::string("a level, such as ").append(kLevelExample));
}

/// Like read_level, or the word "pause". A level by hand over a policy that pauses takes what it
/// leaves out from `busy`, the nearest level there is.
void read_strained(const Section& section, const JobContext& context, LevelTable& levels) {
  const auto value = section.get("strained");
  const auto* const policy_level = std::get_if<Level>(&levels.strained);
  auto level = policy_level == nullptr ? levels.busy : *policy_level;
  if (value && value.node().is_string()) {
    constexpr std::array kWords{Choice<Pause>{"pause", Pause{}}};
    if (match_choice(value, value.node().as_string()->get(), kWords)) levels.strained = Pause{};
    return;
  }
  read_level(section, "strained", context, level);
  if (value) levels.strained = level;
}

/// A policy that never adapts has one level, `light`; the others would be ignored without a word.
void read_only_level(const Section& section, Policy policy, const JobContext& context,
                     LevelTable& levels) {
  for (const std::string_view state : {"idle", "busy", "strained"}) {
    const auto value = section.own(state);
    if (!value) continue;
    value.wrong("has no effect, since the policy " + quoted(to_string(policy)) +
                " never adapts: write its one level as 'light', or another policy");
  }
  read_level(section, "light", context, levels.light);
  levels = {levels.light, levels.light, levels.light, levels.light, false};
}

LevelTable read_levels(const Section& section, Policy policy, const JobContext& context) {
  auto levels = levels_of(policy);
  if (!levels.adapts) {
    read_only_level(section, policy, context, levels);
    return levels;
  }
  read_level(section, "idle", context, levels.idle);
  read_level(section, "light", context, levels.light);
  read_level(section, "busy", context, levels.busy);
  read_strained(section, context, levels);
  return levels;
}

}  // namespace

std::optional<IoPriority> read_io(const Value& value, const JobContext& context) {
  const auto text = read_text(value, R"("best-effort:7")");
  if (!text) return std::nullopt;
  const auto io = parse_io_priority(*text);
  if (!io) {
    value.wrong(io.error());
    return std::nullopt;
  }
  if (io->io_class != IoClass::realtime || context.realtime_io) return *io;
  value.wrong("is " + quoted(*text) +
              ", which this instance may not set: write \"best-effort:0\", or use the system "
              "instance (it needs CAP_SYS_NICE)");
  return std::nullopt;
}

PrioritySpec read_priority(const Section& section, const JobContext& context) {
  PrioritySpec priority;
  const auto policy = section.get("policy");
  assign(priority.policy, read_choice(policy, kPolicyNames));
  // The default levels were written for the default policy.
  const bool own_policy = policy && !policy.inherited();
  priority.levels =
      read_levels(own_policy ? section.without_defaults() : section, priority.policy, context);
  const auto pause = section.get("pause");
  assign(priority.pause, read_choice(pause, kPause));
  const auto strained = section.own("strained");
  if (pause && !pause.inherited() && priority.pause == PauseMethod::never && strained &&
      strained.node().is_string()) {
    strained.wrong(
        R"(is "pause" and 'pause' is "never": write a level here, or another way to pause)");
  }
  assign(priority.max_pause, read_duration(section.get("max_pause"), kLeast));
  return priority;
}

}  // namespace lull::config
