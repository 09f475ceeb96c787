#pragma once

#include "runner/cli/instance.hpp"

#include <string>
#include <vector>

namespace lull::cli {

struct RunOptions {
  std::string policy;                ///< empty: throttle
  std::string job_file;              ///< --job FILE
  std::vector<std::string> command;  ///< or -- CMD…
  bool verbose = false;              ///< say each change of level on stderr
};

/// The drop-in for `nice ionice CMD`. Exits as the command did: its code, 128+signal, 127 when it
/// was not found, 126 when it could not be executed, 1 when it could not be started for another
/// reason.
int run_run(const InstanceOptions& instance, const RunOptions& options);

}  // namespace lull::cli
