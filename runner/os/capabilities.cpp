#include "runner/os/capabilities.hpp"

#include "runner/os/machine.hpp"
#include "runner/os/process.hpp"
#include "runner/os/read_file.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace lull::os {
namespace {

bool autogroups_are_on() {
  const auto enabled = read_file("/proc/sys/kernel/sched_autogroup_enabled");
  return enabled && enabled->substr(0, 1) == "1";
}

/// Whether we are in a group of the cpu controller that is not the root: then that group's weight
/// counts, and an autogroup or a nice value only inside it.
bool is_held_by_a_cpu_group(const CgroupHierarchy& hierarchy) {
  if (hierarchy.own == "/") return false;
  if (!hierarchy.unified) {
    const auto& names = hierarchy.controllers;
    return std::find(names.begin(), names.end(), "cpu") != names.end();
  }
  // The controller may be on only some way down from the root (cgroup.subtree_control).
  for (std::string path = hierarchy.own; !path.empty(); path.erase(path.rfind('/'))) {
    if (::access((hierarchy.mount + path + "/cpu.weight").c_str(), F_OK) == 0) return true;
  }
  return false;
}

CpuKnob cpu_knob(const CgroupParents& parents) {
  if (parents.weigh_cpu()) return CpuKnob::cgroup;
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto cgroup = read_file("/proc/self/cgroup");
  if (mountinfo && cgroup) {
    const auto hierarchies = parse_hierarchies(*mountinfo, *cgroup);
    const bool held = std::any_of(hierarchies.begin(), hierarchies.end(), is_held_by_a_cpu_group);
    if (held) return CpuKnob::none;
  }
  return autogroups_are_on() ? CpuKnob::autogroup : CpuKnob::nice;
}

}  // namespace

int renice_down_to() {
  constexpr int kNever = 20;
  if (lowest_nice() == -20) return -20;  // CAP_SYS_NICE, or a limit that is as good
  rlimit limit{};
  if (::getrlimit(RLIMIT_NICE, &limit) != 0 || limit.rlim_cur > 40) return kNever;
  return kNever - static_cast<int>(limit.rlim_cur);
}

Capabilities own_capabilities(const CgroupParents& parents) {
  return {cpu_knob(parents), renice_down_to(), parents.freeze()};
}

}  // namespace lull::os
