#pragma once

#include "runner/os/paths.hpp"

#include <optional>
#include <string>

namespace lull::cli {

/// Exit codes of every subcommand but `run`, which exits as its command did.
enum Exit : int { kDone = 0, kFailed = 1, kUsage = 2, kNoSupervisor = 3 };

/// --config-dir, --state-dir and --runtime-dir, which every subcommand takes.
struct InstanceOptions {
  std::optional<std::string> config_dir;
  std::optional<std::string> state_dir;
  std::optional<std::string> runtime_dir;
};

/// The folders of the instance that these options, the environment and our uid name. Throws when
/// there is no home to put them in.
os::InstancePaths paths_of(const InstanceOptions& options);

/// "lull: MESSAGE" on stderr.
void complain(const std::string& message);

}  // namespace lull::cli
