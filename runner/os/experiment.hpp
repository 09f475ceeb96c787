#pragma once

#include "jobs/knobs.hpp"
#include "jobs/result.hpp"

#include <sys/types.h>

#include <chrono>
#include <functional>

namespace lull::os {

/// Lets two spinners run on one CPU for `time`, each in a session of its own, one of them held back
/// as the trial says, and returns what CPU time each got. Leaves nothing behind: the spinners die
/// with us at the latest, and signals that would end us wait until the group is removed. Blocks
/// for `time` and at most a few seconds more; an error when the knob could not be set.
Result<SharedCpu> try_out(const Trial& trial,
                          std::chrono::milliseconds time = std::chrono::milliseconds(200));

/// Puts two processes, which do nothing until it returns, where they are to compete.
using PutSpinners = std::function<Result<void>(pid_t held_back, pid_t plain)>;

/// The same with two spinners that somebody else puts into groups: held back is the one whose
/// place the jobs have. Begins to count after 2 s: what a group gets on one CPU depends on what it
/// had on the others until just then (calc_group_shares, kernel/sched/fair.c).
Result<SharedCpu> try_out_between(const PutSpinners& put,
                                  std::chrono::milliseconds time = std::chrono::milliseconds(200));

}  // namespace lull::os
