#pragma once

#include "runner/cli/instance.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace lull::cli {

// The subcommands that read what has been recorded, with or without a running supervisor.

struct HistoryOptions {
  std::string job;  ///< empty: all
  int limit = 0;    ///< 0: every kept run
  bool json = false;
};
int run_history(const InstanceOptions& instance, const HistoryOptions& options);

struct LogOptions {
  std::string job;
  std::optional<std::int64_t> run;  ///< absent: the newest with a log
  bool follow = false;
  bool json = false;
};
/// Prints a run's output; with `follow` until the run has ended.
int run_log(const InstanceOptions& instance, const LogOptions& options);

}  // namespace lull::cli
