#include "jobs/knob_rules.hpp"

#include <algorithm>

namespace lull::knob_rules {
namespace {

/// In which directions nice moves, and by what right.
std::string directions(const MachineFacts& facts) {
  if (facts.returnable_nice <= -20) return "it moves both ways (CAP_SYS_NICE or RLIMIT_NICE 40)";
  const std::string limit = "RLIMIT_NICE is " + std::to_string(20 - facts.returnable_nice);
  if (facts.returnable_nice >= 20) return "it can be raised, not lowered back: " + limit;
  return "it can be lowered back to " + std::to_string(facts.returnable_nice) + ": " + limit;
}

std::string nice_limit_fix(const MachineFacts& facts) {
  if (facts.returnable_nice <= 0) return "";
  return "LimitNICE=+0 in lull's unit (a user's: in user@.service), or as root "
         "`prlimit --nice=20 --pid PID`";
}

std::string autogroup_fix(const MachineFacts& facts) {
  const bool moves = facts.cpu_group.empty() && facts.autogroup == Autogroup::off;
  return moves ? "sysctl kernel.sched_autogroup_enabled=1" : "";
}

/// Why the folder's controllers are off below it, and what turns one on.
Knob not_enabled(const V2Group& group, const std::string& file, const std::string& controller) {
  const std::string write =
      "echo +" + controller + " > " + group.folder + "/cgroup.subtree_control";
  if (group.root) {
    return {file, Verdict::no_effect, controller + " is not turned on below " + group.folder, write,
            ""};
  }
  return {file, Verdict::no_effect,
          controller + " is not turned on below " + group.folder +
              ", and cannot be while processes are in that group itself",
          "move its processes to a group below, then `" + write + "`", ""};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Knob missing_controller(const MachineFacts& facts, const std::string& file,
                        const std::string& controller) {
  const V1Group* v1 = v1_group(facts, controller == "io" ? "blkio" : controller);
  if (v1 != nullptr) {
    return {file, Verdict::no_effect, "the controller is bound to cgroup v1, at " + v1->folder,
            "cgroup_no_v1=all on the kernel's command line", ""};
  }
  if (facts.v2->root) {
    return {file, Verdict::no_effect, "the kernel offers no controller " + controller, "", ""};
  }
  if (facts.scopes) {
    return {
        file, Verdict::not_permitted, controller + " is not delegated to " + facts.v2->folder,
        "`systemctl edit user@.service` with [Service] Delegate=cpu io memory pids, then log in "
        "anew",
        ""};
  }
  return {file, Verdict::not_permitted, controller + " is not delegated to " + facts.v2->folder,
          "Delegate=" + controller + " in lull's unit (a user's: in user@.service)", ""};
}

}  // namespace

const V1Group* v1_group(const MachineFacts& facts, std::string_view controller) {
  const auto found = std::find_if(facts.v1.begin(), facts.v1.end(), [&](const V1Group& group) {
    return group.controller == controller;
  });
  return found == facts.v1.end() ? nullptr : &*found;
}

bool v2_has(const MachineFacts& facts, std::string_view controller) {
  return facts.v2 && facts.v2->writable && contains(facts.v2->enabled, controller);
}

Knob nice(const MachineFacts& facts) {
  const std::string fix = nice_limit_fix(facts);
  if (!facts.cpu_group.empty()) {
    return {"nice", Verdict::no_effect,
            "it ranks only inside the cgroup " + facts.cpu_group + "; " + directions(facts), "",
            ""};
  }
  if (facts.autogroup == Autogroup::on) {
    return {"nice", Verdict::no_effect,
            "it ranks only inside a session's autogroup, and a job has a session of its own; " +
                directions(facts),
            "", ""};
  }
  return {"nice", Verdict::works, "it ranks jobs beside everything; " + directions(facts), fix, ""};
}

Knob autogroup(const MachineFacts& facts) {
  if (facts.autogroup == Autogroup::absent) {
    return {"autogroup", Verdict::no_effect, "this kernel has no autogroups", "", ""};
  }
  if (!facts.cpu_group.empty()) {
    return {"autogroup", Verdict::no_effect,
            "void in the cgroup " + facts.cpu_group + ", which has the cpu controller", "", ""};
  }
  if (facts.autogroup == Autogroup::off) {
    return {"autogroup", Verdict::no_effect, "turned off: kernel.sched_autogroup_enabled is 0",
            autogroup_fix(facts), ""};
  }
  return {"autogroup", Verdict::works,
          "0 to 19 both ways; without CAP_SYS_ADMIN one write per 100 ms on the whole machine", "",
          ""};
}

std::string own_v1_folder(const V1Group& group) {
  const std::string ours = group.folder + "/lull";
  return "as root: `install -d -o USER " + ours + " && chown USER " + ours + "/*`";
}

std::string delegation(const V2Group& group) {
  if (!group.root) return "Delegate=yes in lull's unit";
  // systemd leaves nobody in the root group, so it is not in charge here.
  const std::string ours = group.folder + "/lull";
  return "as root: `install -d -o USER " + ours + " && chown USER " + ours +
         "/cgroup.* && echo PID > " + ours + "/cgroup.procs`, PID being lull's";
}

Knob v2_knob(const MachineFacts& facts, const std::string& file, const std::string& controller,
             const std::string& effect) {
  if (!facts.v2) {
    return {file, Verdict::no_effect, "cgroup v2 is not mounted",
            "mount -t cgroup2 none /sys/fs/cgroup", ""};
  }
  const V2Group& group = *facts.v2;
  if (!contains(group.available, controller)) return missing_controller(facts, file, controller);
  if (!group.writable) {
    return {file, Verdict::not_permitted, "no group may be made in " + group.folder,
            delegation(group), ""};
  }
  if (!contains(group.enabled, controller)) return not_enabled(group, file, controller);
  return {file, Verdict::works, effect + " " + group.folder + "; both ways", "", ""};
}

std::optional<Knob> v1_knob(const MachineFacts& facts, const std::string& file,
                            const std::string& controller, const std::string& effect) {
  const V1Group* group = v1_group(facts, controller);
  if (group == nullptr) return std::nullopt;
  const std::string name = file + " (v1)";
  if (group->writable) {
    return Knob{name, Verdict::works, effect + " " + group->folder + "; both ways", "", ""};
  }
  return Knob{name, Verdict::not_permitted, "no group may be made in " + group->folder,
              own_v1_folder(*group), ""};
}

Knob since_5_15(const MachineFacts& facts, Knob idle) {
  if (facts.kernel >= KernelVersion{5, 15} || idle.verdict != Verdict::works) return idle;
  return {idle.name, Verdict::no_effect, "this kernel is older than 5.15, which brought it", "",
          ""};
}

}  // namespace lull::knob_rules
