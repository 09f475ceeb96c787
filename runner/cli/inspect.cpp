#include "runner/cli/inspect.hpp"

#include "runner/cli/instance.hpp"
#include "runner/cli/table.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/process.hpp"
#include "runner/os/user.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace lull::cli {
namespace {

/// Whom the options name.
struct Target {
  os::Whose whose = os::Whose::process;
  id_t id = 0;
  std::string name;
};

Result<Target> target_of(const InspectOptions& options) {
  if (options.pid) {
    return Target{os::Whose::process, static_cast<id_t>(*options.pid),
                  "process " + std::to_string(*options.pid)};
  }
  if (options.pgrp) {
    return Target{os::Whose::group, static_cast<id_t>(*options.pgrp),
                  "process of the group " + std::to_string(*options.pgrp)};
  }
  const auto uid = os::find_uid(options.user.value_or(""));
  if (!uid) return uid.error();
  return Target{os::Whose::user, *uid, "process of the user " + *options.user};
}

Result<Standing> standing_of(pid_t pid) {
  const auto nice = os::get_nice(os::Whose::process, static_cast<id_t>(pid));
  if (!nice) return nice.error();
  const auto io = os::get_io_priority(os::Whose::process, static_cast<id_t>(pid));
  if (!io) return io.error();
  const auto policy = os::get_sched_policy(pid);
  if (!policy) return policy.error();
  const auto autogroup = os::read_autogroup(pid);
  if (!autogroup) return autogroup.error();
  const auto cgroup = os::read_process_cgroup(pid);
  if (!cgroup) return cgroup.error();
  return Standing{nice.value(), io.value(), policy.value(), autogroup.value(), cgroup.value()};
}

Result<InspectedProcess> look_at(pid_t pid) {
  const auto stat = os::read_process_stat(pid);
  if (!stat) return stat.error();
  const auto standing = standing_of(pid);
  if (!standing) return standing.error();
  return InspectedProcess{pid, stat.value().comm, standing.value()};
}

/// Whether a process is the target's. One that has ended and only waits to be reaped has no
/// priority, so it is nobody's unless it is asked for by its pid.
Result<bool> matches(const Target& target, pid_t pid) {
  if (target.whose == os::Whose::process) return true;
  const auto stat = os::read_process_stat(pid);
  if (!stat) return stat.error();
  const os::ProcessStat& process = stat.value();
  if (process.state == 'Z' || process.state == 'X') return false;
  if (target.whose == os::Whose::group) return static_cast<id_t>(process.group) == target.id;
  const auto uid = os::read_process_uid(pid);
  if (!uid) return uid.error();
  return uid.value() == target.id;
}

Result<std::vector<pid_t>> candidates(const Target& target) {
  if (target.whose != os::Whose::process) return os::all_processes();
  return std::vector<pid_t>{static_cast<pid_t>(target.id)};
}

void look_at_candidate(const Target& target, pid_t pid, Inspection& inspection) {
  const auto wanted = matches(target, pid);
  if (wanted && !wanted.value()) return;
  const auto process = wanted ? look_at(pid) : Result<InspectedProcess>(wanted.error());
  if (process) {
    inspection.processes.push_back(process.value());
  } else if (!os::is_gone(process.error())) {
    inspection.unreadable.push_back(process.error());
  }
}

/// The kernel's own answers for a group or a user, which know every thread. Not for uid or group 0
/// where that means ourselves, and not where the last process has just ended.
void ask_kernel(const Target& target, Standing& highest) {
  const bool means_ourselves =
      target.id == 0 && (target.whose == os::Whose::group || ::getuid() != 0);
  if (target.whose == os::Whose::process || means_ourselves) return;
  const auto nice = os::get_nice(target.whose, target.id);
  if (nice) highest.nice = *nice;
  const auto io = os::get_io_priority(target.whose, target.id);
  if (io) highest.io = *io;
}

/// With /proc's option hidepid=2 others' processes are not even listed; init never ends.
bool hides_processes() {
  const auto init = os::read_process_stat(1);
  return !init && os::is_gone(init.error());
}

Error nothing_matches(const Target& target, const std::vector<Error>& unreadable) {
  std::string text = "there is no " + target.name;
  if (!unreadable.empty()) text += " that may be looked at (" + unreadable.front().what() + ")";
  if (unreadable.empty() && hides_processes()) {
    text += " that /proc shows (it is mounted with hidepid: ask as root)";
  }
  return Error(text);
}

/// Where the I/O of a process is served, smaller being earlier: the kernel's class and level, with
/// `none` read as ioprio_set(2) says: by the policy and (nice + 20) / 5.
std::pair<IoClass, int> effective_io(const Standing& standing) {
  if (standing.io.io_class != IoClass::none) return {standing.io.io_class, standing.io.level};
  const int level = (standing.nice + 20) / 5;
  if (standing.policy == os::SchedPolicy::idle) return {IoClass::idle, 0};
  const bool realtime = standing.policy < os::SchedPolicy::other;
  return {realtime ? IoClass::realtime : IoClass::best_effort, level};
}

/// An absent autogroup ranks nobody.
std::optional<int> lower(std::optional<int> a, std::optional<int> b) {
  return a && b ? std::min(*a, *b) : (a ? a : b);
}

std::string io_text(IoPriority io) { return lull::to_string(io); }

using Json = nlohmann::ordered_json;

void add_standing(Json& object, const Standing& standing) {
  object["nice"] = standing.nice;
  object["io"] = io_text(standing.io);
  object["policy"] = os::to_string(standing.policy);
  object["autogroup_nice"] = standing.autogroup_nice ? Json(*standing.autogroup_nice) : Json();
  object["cgroup"] = standing.cgroup;
}

std::vector<Cell> row_of(std::string pid, std::string comm, const Standing& standing, Tone tone) {
  const auto autogroup = standing.autogroup_nice;
  return {{std::move(pid), tone},
          {std::move(comm), tone},
          {std::to_string(standing.nice), tone},
          {io_text(standing.io), tone},
          {std::string(os::to_string(standing.policy)), tone},
          {autogroup ? std::to_string(*autogroup) : "-", tone},
          {standing.cgroup, tone}};
}

void print_as_table(const Inspection& inspection) {
  Table table({{"PID", Align::right},
               {"COMMAND"},
               {"NICE", Align::right},
               {"I/O"},
               {"POLICY"},
               {"AUTOGROUP", Align::right},
               {"CGROUP", Align::left, true}});
  for (const InspectedProcess& process : inspection.processes) {
    table.add_row(row_of(std::to_string(process.pid), process.comm, process.standing, Tone::plain));
  }
  if (inspection.processes.size() > 1) {
    table.add_row(row_of("", "(highest)", inspection.highest, Tone::strong));
  }
  print_table(table);
}

/// Prints what was found, then what was not to be seen.
int print_inspection(const Inspection& inspection, bool json) {
  if (json) {
    std::printf("%s\n", inspection_json(inspection).c_str());
  } else {
    print_as_table(inspection);
  }
  if (inspection.unreadable.empty()) return kDone;
  complain(std::to_string(inspection.unreadable.size()) +
           " processes could not be looked at, the first: " + inspection.unreadable.front().what());
  return kFailed;
}

}  // namespace

Standing highest_of(const std::vector<InspectedProcess>& processes) {
  if (processes.empty()) return {};
  const auto by_nice = [](const auto& a, const auto& b) {
    return a.standing.nice < b.standing.nice;
  };
  const auto by_io = [](const auto& a, const auto& b) {
    return effective_io(a.standing) < effective_io(b.standing);
  };
  // The first's cgroup is also the one that all share, if they share one.
  Standing highest = std::min_element(processes.begin(), processes.end(), by_nice)->standing;
  highest.io = std::min_element(processes.begin(), processes.end(), by_io)->standing.io;
  for (const auto& [pid, comm, standing] : processes) {
    highest.policy = std::min(highest.policy, standing.policy);
    highest.autogroup_nice = lower(highest.autogroup_nice, standing.autogroup_nice);
  }
  return highest;
}

Result<Inspection> inspect(const InspectOptions& options) {
  const auto found = target_of(options);
  if (!found) return found.error();
  const Target& target = found.value();
  const auto pids = candidates(target);
  if (!pids) return pids.error();
  Inspection inspection;
  for (const pid_t pid : pids.value())
    look_at_candidate(target, pid, inspection);
  if (inspection.processes.empty()) return nothing_matches(target, inspection.unreadable);
  inspection.highest = highest_of(inspection.processes);
  ask_kernel(target, inspection.highest);
  return inspection;
}

std::string inspection_json(const Inspection& inspection) {
  Json object;
  add_standing(object, inspection.highest);
  object["processes"] = Json::array();
  for (const InspectedProcess& process : inspection.processes) {
    Json& each = object["processes"].emplace_back();
    each["pid"] = process.pid;
    each["comm"] = process.comm;
    add_standing(each, process.standing);
  }
  // A process may be named with bytes that are no UTF-8.
  return object.dump(2, ' ', false, Json::error_handler_t::replace);
}

int run_inspect(const InspectOptions& options) {
  const int chosen =
      int(options.pid.has_value()) + int(options.pgrp.has_value()) + int(options.user.has_value());
  if (chosen != 1) {
    complain("inspect needs exactly one of --pid, --pgrp and --user");
    return kUsage;
  }
  const auto inspection = inspect(options);
  if (!inspection) {
    complain(inspection.error().what());
    return kFailed;
  }
  return print_inspection(inspection.value(), options.json);
}

}  // namespace lull::cli
