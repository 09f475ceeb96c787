#pragma once

#include <string>
#include <string_view>

namespace lull {

/// What a cgroup weighs beside its siblings, cpu.weight and cpu.idle.
struct GroupWeight {
  int weight = 100;
  bool idle = false;
  bool operator==(const GroupWeight&) const = default;
};

/// Whether what weighs so is kept behind its siblings: beside one of the default weight it gets a
/// twentieth of the CPU at the most.
constexpr bool is_kept_behind(const GroupWeight& group) { return group.idle || group.weight <= 5; }

/// Whether a slice of the service manager's holds nothing but runs of lull's, by its name.
constexpr bool is_lull_slice(std::string_view name) {
  return name == "lull.slice" || (name.starts_with("lull-") && name.ends_with(".slice"));
}

/// Where a foreground may be, and how jobs meet it. The kernel shares the CPU between siblings,
/// level by level: two processes compete with the weights of the two groups right below the
/// innermost that holds both (Documentation/admin-guide/cgroup-v2, "Weights").
struct Place {
  std::string name;    ///< of the group that holds the foreground
  std::string folder;  ///< of that group
  std::string within;  ///< the group that holds both; empty: the root of all
  std::string jobs;    ///< the group in it that holds the jobs
  GroupWeight
      jobs_weight;     ///< if `jobs` is lull's own, for now: it weighs what its jobs are to get
  GroupWeight weight;  ///< of `name`
  bool operator==(const Place&) const = default;
};

}  // namespace lull
