#pragma once

#include "jobs/result.hpp"

#include <string>

namespace lull::os {

/// The whole of a file of the kernel's (whose size is not known before), or of a small one.
Result<std::string> read_file(const std::string& path);

}  // namespace lull::os
