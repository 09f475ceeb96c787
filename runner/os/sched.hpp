#pragma once

#include "jobs/result.hpp"

#include <sys/types.h>

#include <string_view>

namespace lull::os {

/// Whom getpriority(2) and ioprio_get(2) ask about: one thread, a process group, or all processes
/// with one real uid. For the last two the kernel answers with the highest priority among them.
enum class Whose { process, group, user };

/// The scheduling policies of sched(7), the most favoured first. `ext` is left to a BPF program.
enum class SchedPolicy { deadline, fifo, rr, other, ext, batch, idle };
std::string_view to_string(SchedPolicy policy);

/// The nice value, -20 to 19; for a pid that of its main thread. With `group` or `user`, 0 means
/// the caller's own, as the kernel has it.
Result<int> get_nice(Whose whose, id_t id);

/// The scheduling policy of a process's main thread.
Result<SchedPolicy> get_sched_policy(pid_t pid);

/// Sets that of one thread, `other` or `idle`, and leaves its nice value. The way back from idle
/// needs CAP_SYS_NICE or an RLIMIT_NICE that allows that value (sched(7)).
Result<void> set_sched_policy(pid_t thread, SchedPolicy policy);

}  // namespace lull::os
