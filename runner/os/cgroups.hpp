#pragma once

#include "jobs/priority.hpp"
#include "jobs/spawn_plan.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// One mounted cgroup hierarchy and where in it a process is.
struct CgroupHierarchy {
  std::string mount;
  std::string own;  ///< the process's group, from the mount on: "/" or "/user.slice/…"
  std::vector<std::string> controllers;  ///< v1 only
  bool unified = false;
  bool operator==(const CgroupHierarchy&) const = default;
};

/// Joins /proc/self/mountinfo and /proc/self/cgroup. Hierarchies that are not mounted are left out.
std::vector<CgroupHierarchy> parse_hierarchies(std::string_view mountinfo, std::string_view cgroup);

/// The folders of the groups called `name` that a process is in, one for each hierarchy.
std::vector<std::string> groups_called(const std::string& name, pid_t process);

/// Where cgroup v2 is mounted, if no v1 hierarchy is beside it.
std::optional<std::string> sole_unified_mount();

/// The folder of our own group in it.
std::optional<std::string> own_unified_group();

/// The kernel's sched_prio_to_weight for a nice value of -20 to 19, where nice 0 is 1024.
int weight_of_nice(int nice);
/// The same as cpu.weight has it, 1 to 10000, where nice 0 is 100.
int cpu_weight_of_nice(int nice);
/// The weight of a level's I/O, 1 to 1000 with 100 as the default, in v1 and v2 alike
/// (Documentation/block/bfq-iosched).
int io_weight_of(const Level& level);

/// The folders `lull` below our own group in the unified hierarchy (for freezing, killing and
/// pressure) and in each v1 hierarchy that has the cpu, freezer, memory or blkio controller. Those
/// that may not be made are left out: detect, never assume.
class CgroupParents {
 public:
  /// Finds and makes the parents. Empty on a machine without a writable hierarchy.
  static CgroupParents make();
  static CgroupParents make(const std::vector<CgroupHierarchy>& hierarchies);

  /// What a run at `level` gets in each: the CPU's share by its nice value, and `memory` as the
  /// amount above which its memory and page cache are reclaimed first. A run that is never adapted
  /// does not share the weight of those that are (`adapts`): it would lend them its own.
  [[nodiscard]] std::vector<CgroupPlacement> placements(const Level& level, bool adapts,
                                                        std::optional<Bytes> memory) const;

 private:
  struct Parent {
    std::string knob;
    std::string folder;
    std::string ordinary;  ///< for runs that are never adapted; empty: they need no group here
    bool unified = false;
    bool cpu = false;
    bool memory = false;
  };
  std::vector<Parent> parents_;
};

}  // namespace lull::os
