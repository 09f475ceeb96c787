#pragma once

#include "jobs/knobs.hpp"
#include "jobs/result.hpp"

#include <chrono>

namespace lull::os {

/// Lets two spinners run on one CPU for `time`, each in a session of its own, one of them held back
/// as the trial says, and returns what CPU time each got. Leaves nothing behind: the spinners die
/// with us at the latest, and signals that would end us wait until the group is removed. Blocks
/// for `time` and at most a few seconds more; an error when the knob could not be set.
Result<SharedCpu> try_out(const Trial& trial,
                          std::chrono::milliseconds time = std::chrono::milliseconds(200));

}  // namespace lull::os
