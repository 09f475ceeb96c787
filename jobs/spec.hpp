#pragma once

#include "jobs/priority.hpp"
#include "jobs/schedule.hpp"
#include "jobs/units.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lull {

/// A job's name is its file's stem: [a-z0-9][a-z0-9._-]{0,63}.
bool is_job_name(std::string_view text);

/// A lock's name: [a-z0-9][a-z0-9:._-]{0,63}, so that it can be a file's.
bool is_lock_name(std::string_view text);

/// argv, never through a shell.
struct Command {
  std::vector<std::string> argv;
  bool operator==(const Command&) const = default;
};

/// Text for /bin/sh -eu.
struct Script {
  std::string text;
  bool operator==(const Script&) const = default;
};

enum class PowerSource { any, ac };
struct BatteryAbove {
  int percent = 0;
  bool operator==(const BatteryAbove&) const = default;
};
enum class NetworkNeed { up, unmetered };
struct MountPoint {
  std::string path;
  bool operator==(const MountPoint&) const = default;
};
struct VolumeUuid {
  std::string uuid;
  bool operator==(const VolumeUuid&) const = default;
};
/// A time of day range in the job's zone; `to` before `from` spans midnight.
struct Hours {
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};
  bool operator==(const Hours&) const = default;
};
enum class GateLost { keep_running, pause, stop };

/// `[when]`: what a due job waits for. An absent gate is open.
struct GateSpec {
  std::variant<PowerSource, BatteryAbove> power = PowerSource::any;
  std::optional<Duration> away;
  std::optional<NetworkNeed> network;
  std::optional<std::variant<MountPoint, VolumeUuid>> mounted;
  std::vector<std::string> exists;
  std::optional<Hours> hours;
  std::vector<std::string> check;  ///< argv of a probe; empty: none
  std::vector<std::string> after;  ///< names of jobs
  GateLost lost = GateLost::keep_running;
  bool operator==(const GateSpec&) const = default;
};

enum class PauseMethod { freeze, stop, terminate, never };

/// `[priority]`, with what was left out already taken from the policy, and all of it under the
/// ceiling.
struct PrioritySpec {
  Policy policy = Policy::throttle;
  LevelTable levels = levels_of(Policy::throttle);
  std::optional<LevelTable> asked;  ///< what the file says, where the ceiling allows less
  PauseMethod pause = PauseMethod::freeze;
  Duration max_pause = std::chrono::minutes(4);
  bool operator==(const PrioritySpec&) const = default;
};

enum class Overlap { skip, queue, replace };

struct Limits {
  std::optional<Duration> timeout;
  Duration stop_timeout = std::chrono::seconds(30);
  int retries = 0;
  Duration retry_delay = std::chrono::minutes(5);
  Overlap overlap = Overlap::skip;
  std::vector<std::string> locks;
  std::optional<Bytes> memory;
  Bytes log_size{10'000'000};
  bool operator==(const Limits&) const = default;
};

enum class PublishMode { exclusive, replace, exchange };

struct OutputSpec {
  std::string publish;  ///< a path pattern with {slot} {date} {job} {run}
  PublishMode mode = PublishMode::exclusive;
  std::string keep;  ///< with exchange: where the old one goes; empty: nowhere
  bool operator==(const OutputSpec&) const = default;
};

enum class NotifyOn { failure, success, overdue };

struct NotifySpec {
  std::vector<NotifyOn> on;
  std::optional<Duration> overdue_after;
  std::string ping;
  bool operator==(const NotifySpec&) const = default;
};

/// One job file, checked: every value is in range, every path absolute.
struct JobSpec {
  std::string name;
  std::string description;
  std::variant<Command, Script> what;
  std::string directory;                           ///< empty: the user's home
  std::map<std::string, std::string> environment;  ///< never logged
  std::string environment_file;
  std::string user;  ///< system instance only; empty: the instance's own user
  std::vector<int> success_exit_codes{0};
  std::vector<std::string> pass_environment;
  bool enabled = true;

  std::optional<Schedule> schedule;  ///< none: by hand, or by `after`
  GateSpec when;
  PrioritySpec priority;
  Limits limits;
  std::optional<OutputSpec> output;
  NotifySpec notify;

  bool operator==(const JobSpec&) const = default;
};

}  // namespace lull
