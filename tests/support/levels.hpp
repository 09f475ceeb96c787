#pragma once

#include "jobs/priority.hpp"

#include <vector>

namespace lull::tests {

/// Every nice value, I/O class and I/O level that we may give to a job here, each in one level.
std::vector<Level> levels_we_may_have();

}  // namespace lull::tests
