#pragma once

#include "jobs/priority.hpp"
#include "runner/os/sched.hpp"

#include <sys/types.h>

namespace lull::os {

/// ioprio_get(2). For a process: what was set for its main thread, `none` if nothing was, and then
/// its I/O follows its nice value. For a group or a user: the highest among their threads, where
/// the kernel (since 5.18) counts `none` as the class and level that it stands for.
Result<IoPriority> get_io_priority(Whose whose, id_t id);

/// ioprio_set(2) on one thread, or on every thread of the group's or the user's processes.
Result<void> set_io_priority(Whose whose, id_t id, IoPriority priority);

}  // namespace lull::os
