#pragma once

#include "jobs/spawn_plan.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace lull::os {

/// Where a run lives on this machine, beside its plan.
struct RunPlace {
  std::string run_file;
  std::string log;  ///< the folder above its own exists
  std::string cgroup_name;
  std::string scope_mount;  ///< where cgroup v2 is mounted, if the plan has a scope
  std::string boot_id;
  std::uint64_t files_soft = 0;  ///< RLIMIT_NOFILE that the job gets
  std::uint64_t files_hard = 0;
  int supervisor = 0;  ///< our pid
};

/// The block that a lull-keeper maps (runner/keeper/plan.hpp).
std::vector<std::byte> encode_keeper_plan(const SpawnPlan& plan, const RunPlace& place);

/// An I/O priority as ioprio_set(2) takes it.
int raw_io_priority(IoPriority priority);
/// And back, as ioprio_get(2) gives it; what the kernel may add above the level is cut off.
IoPriority io_priority_of(int raw);

}  // namespace lull::os
