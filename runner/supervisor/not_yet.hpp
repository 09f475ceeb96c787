#pragma once

#include "jobs/spec.hpp"

#include <string>
#include <vector>

namespace lull::supervisor {

/// The keys of a job that are read and checked but do not act in this version. A key that is
/// silently without effect is a broken promise, so the log names them; each goes from here with the
/// change that makes it act.
std::vector<std::string> keys_without_effect(const JobSpec& spec);

}  // namespace lull::supervisor
