#pragma once

#include "jobs/priority.hpp"

#include <vector>

namespace lull::tests {

/// Every nice value, I/O class and I/O level that we may give to a job here, each in one level.
std::vector<Level> levels_we_may_have();

/// The nice value with which a run of `policy` starts here, at its light level (nice_at_start): the
/// level's, unless we could not give it back later.
int light_nice_here(Policy policy);

}  // namespace lull::tests
