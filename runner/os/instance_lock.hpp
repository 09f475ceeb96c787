#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"

#include <chrono>
#include <string>

namespace lull::os {

/// Takes the exclusive lock of a state folder (flock on `path`, which then holds our pid). The
/// kernel lets it go with the process that holds it, however that dies. Waits up to `patience`,
/// since one that was just killed may linger; then the error names the holder.
Result<Fd> take_instance_lock(const std::string& path, std::chrono::milliseconds patience);

}  // namespace lull::os
