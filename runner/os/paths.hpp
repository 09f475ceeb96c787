#pragma once

#include "jobs/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lull::os {

/// Where one instance keeps what it has; every folder is absolute and without a slash at its end.
struct InstancePaths {
  bool system_instance = false;
  std::string config_dir;
  std::string state_dir;
  std::string log_dir;
  std::string runtime_dir;

  [[nodiscard]] std::string settings_file() const { return config_dir + "/lull.toml"; }
  [[nodiscard]] std::string jobs_dir() const { return config_dir + "/jobs"; }
  [[nodiscard]] std::string database() const { return state_dir + "/lull.db"; }
  [[nodiscard]] std::string runs_dir() const { return state_dir + "/runs"; }
  [[nodiscard]] std::string socket() const { return runtime_dir + "/control.sock"; }
  bool operator==(const InstancePaths&) const = default;
};

/// --config-dir and its siblings; a relative one counts from the current folder.
struct PathOverrides {
  std::optional<std::string> config_dir;
  std::optional<std::string> state_dir;
  std::optional<std::string> runtime_dir;
};

/// Everything that the folders depend on.
struct PathInputs {
  PathOverrides overrides;
  /// Looks up an environment variable.
  std::function<std::optional<std::string>(const char* name)> variable;
  std::uint32_t uid = 0;
  std::string home;
  std::string current_folder;
  /// Whether a folder exists and is `uid`'s.
  std::function<bool(const std::string& path)> is_own_folder;
};

/// The folders of the instance that `inputs` name: an override, else LULL_CONFIG_DIR and its
/// siblings, else the system's for uid 0 and those of the XDG Base Directory Specification for
/// everyone else. Logs go with an overridden state folder. Fails only without any home.
Result<InstancePaths> instance_paths(const PathInputs& inputs);

/// The same for this process.
Result<InstancePaths> own_instance_paths(const PathOverrides& overrides);

}  // namespace lull::os
