#pragma once

#include "runner/cli/instance.hpp"

namespace lull::cli {

struct DaemonOptions {
  bool stop_jobs = false;
  bool verbose = false;
};

/// Runs the supervisor until SIGTERM or SIGINT.
int run_daemon(const InstanceOptions& instance, const DaemonOptions& options);

}  // namespace lull::cli
