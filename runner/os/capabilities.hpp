#pragma once

#include "jobs/capabilities.hpp"
#include "runner/os/cgroups.hpp"

namespace lull::os {

/// What can be done to a job that this process starts with groups below `parents`.
Capabilities own_capabilities(const CgroupParents& parents);

/// The lowest nice value to which a process that was reniced upwards can be brought back:
/// -20 with CAP_SYS_NICE, else as RLIMIT_NICE says, 20 for not at all (getrlimit(2)).
int renice_down_to();

}  // namespace lull::os
