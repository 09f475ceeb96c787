#include "runner/supervisor/loop_protocol.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace lull::supervisor {
namespace {

using Json = nlohmann::json;

std::string line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class Enum>
Json number_of(Enum value) {
  return static_cast<int>(value);
}

template <class Enum>
Enum enum_at(const Json& json, const char* key, Enum last) {
  const int value = json.at(key).get<int>();
  if (value < 0 || value > static_cast<int>(last)) throw std::invalid_argument(key);
  return static_cast<Enum>(value);
}

Json level_json(const Level& level) {
  return {{"nice", level.nice}, {"class", number_of(level.io.io_class)}, {"data", level.io.level}};
}

Level level_of(const Json& json) {
  return {json.at("nice").get<int>(),
          {enum_at(json, "class", IoClass::idle), json.at("data").get<int>()}};
}

Json priority_json(const PrioritySpec& priority) {
  const LevelTable& levels = priority.levels;
  const auto* strained = std::get_if<Level>(&levels.strained);
  return {{"policy", number_of(priority.policy)},
          {"idle", level_json(levels.idle)},
          {"light", level_json(levels.light)},
          {"busy", level_json(levels.busy)},
          {"strained", strained == nullptr ? Json() : level_json(*strained)},
          {"adapts", levels.adapts},
          {"pause", number_of(priority.pause)},
          {"max_pause_us", priority.max_pause.count()}};
}

PrioritySpec priority_of(const Json& json) {
  PrioritySpec priority;
  priority.policy = enum_at(json, "policy", Policy::passive);
  priority.levels.idle = level_of(json.at("idle"));
  priority.levels.light = level_of(json.at("light"));
  priority.levels.busy = level_of(json.at("busy"));
  priority.levels.strained = Pause{};
  if (!json.at("strained").is_null()) priority.levels.strained = level_of(json.at("strained"));
  priority.levels.adapts = json.at("adapts").get<bool>();
  priority.pause = enum_at(json, "pause", PauseMethod::never);
  priority.max_pause = Duration(json.at("max_pause_us").get<std::int64_t>());
  return priority;
}

Json reason_json(const std::optional<std::string>& reason) {
  return reason ? Json(*reason) : Json();
}

std::optional<std::string> reason_of(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<std::string>());
}

Json run_json(const DrivenRun& run) {
  const os::RunProcesses& processes = run.processes;
  return {{"key", run.key},
          {"keeper", processes.keeper.pid},
          {"keeper_start", processes.keeper.start_time},
          {"boot", processes.keeper.boot_id},
          {"main", processes.main},
          {"cgroups", processes.cgroups},
          {"priority", priority_json(run.priority)},
          {"cpu_knob", number_of(run.can.cpu)},
          {"renice_down_to", run.can.renice_down_to},
          {"freeze_by_cgroup", run.can.freeze_by_cgroup},
          {"level", level_json(run.level)},
          {"state", number_of(run.state)},
          {"fresh", run.fresh},
          {"held", reason_json(run.held)}};
}

DrivenRun run_of(const Json& json) {
  DrivenRun run;
  run.key = json.at("key").get<RunKey>();
  run.processes.keeper = {json.at("keeper").get<pid_t>(),
                          json.at("keeper_start").get<std::uint64_t>(),
                          json.at("boot").get<std::string>()};
  run.processes.main = json.at("main").get<pid_t>();
  run.processes.cgroups = json.at("cgroups").get<std::vector<std::string>>();
  run.priority = priority_of(json.at("priority"));
  run.can = {enum_at(json, "cpu_knob", CpuKnob::none), json.at("renice_down_to").get<int>(),
             json.at("freeze_by_cgroup").get<bool>()};
  run.level = level_of(json.at("level"));
  run.state = enum_at(json, "state", Foreground::strained);
  run.fresh = json.at("fresh").get<bool>();
  if (json.contains("held")) run.held = reason_of(json.at("held"));
  return run;
}

Json change_json(const Change& change) {
  return {{"key", change.key},
          {"at_us", change.level.at.time_since_epoch().count()},
          {"state", number_of(change.level.state)},
          {"level", change.level.level},
          {"applied", change.level.applied},
          {"reason", change.level.reason},
          {"paused_us", change.paused.count()}};
}

Change change_of(const Json& json) {
  Change change;
  change.key = json.at("key").get<RunKey>();
  change.level.at = TimePoint(Duration(json.at("at_us").get<std::int64_t>()));
  change.level.state = enum_at(json, "state", Foreground::strained);
  change.level.level = json.at("level").get<std::string>();
  change.level.applied = json.at("applied").get<Applied>();
  change.level.reason = json.at("reason").get<std::string>();
  change.paused = Duration(json.at("paused_us").get<std::int64_t>());
  return change;
}

/// Every missing key and wrong type becomes one error.
template <class Message, class Read>
Result<Message> read_line(std::string_view text, Read read) {
  try {
    return Message(read(Json::parse(text)));
  } catch (const std::exception& error) {
    return Error(std::string("not a message of the loop: ") + error.what());
  }
}

struct Encoder {
  std::string operator()(const AddRun& add) const { return line({{"add", run_json(add.run)}}); }
  std::string operator()(const RemoveRun& remove) const { return line({{"remove", remove.key}}); }
  std::string operator()(const AskWhy& ask) const { return line({{"why", ask.key}}); }
  std::string operator()(const HoldRun& hold) const {
    return line({{"hold", hold.key}, {"reason", reason_json(hold.reason)}});
  }
  std::string operator()(const Change& change) const {
    return line({{"change", change_json(change)}});
  }
  std::string operator()(const Removed& removed) const {
    return line({{"removed", removed.key}, {"paused_us", removed.paused.count()}});
  }
  std::string operator()(const Because& because) const {
    return line({{"because", because.because}, {"key", because.key}});
  }
};

}  // namespace

std::string encode(const ToLoop& message) { return std::visit(Encoder(), message); }
std::string encode(const FromLoop& message) { return std::visit(Encoder(), message); }

Result<ToLoop> parse_to_loop(std::string_view text) {
  return read_line<ToLoop>(text, [](const Json& json) -> ToLoop {
    if (json.contains("add")) return AddRun{run_of(json.at("add"))};
    if (json.contains("remove")) return RemoveRun{json.at("remove").get<RunKey>()};
    if (json.contains("hold")) {
      return HoldRun{json.at("hold").get<RunKey>(), reason_of(json.at("reason"))};
    }
    return AskWhy{json.at("why").get<RunKey>()};
  });
}

Result<FromLoop> parse_from_loop(std::string_view text) {
  return read_line<FromLoop>(text, [](const Json& json) -> FromLoop {
    if (json.contains("change")) return change_of(json.at("change"));
    if (json.contains("removed")) {
      return Removed{json.at("removed").get<RunKey>(),
                     Duration(json.at("paused_us").get<std::int64_t>())};
    }
    return Because{json.at("key").get<RunKey>(),
                   json.at("because").get<std::vector<std::string>>()};
  });
}

}  // namespace lull::supervisor
