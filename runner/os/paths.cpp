#include "runner/os/paths.hpp"

#include "runner/os/account.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <utility>

namespace lull::os {
namespace {

std::string without_end_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

/// A variable's value; an empty one counts as unset, as everywhere in the XDG specification.
std::optional<std::string> variable(const PathInputs& inputs, const char* name) {
  auto value = inputs.variable(name);
  if (value && value->empty()) value.reset();
  return value;
}

/// The override or else the variable; relative ones count from the current folder.
std::optional<std::string> overridden(const PathInputs& inputs,
                                      const std::optional<std::string>& override_folder,
                                      const char* name) {
  auto folder =
      override_folder && !override_folder->empty() ? override_folder : variable(inputs, name);
  if (!folder) return std::nullopt;
  if (!folder->starts_with('/')) folder = inputs.current_folder + '/' + *folder;
  return without_end_slash(std::move(*folder));
}

/// $XDG_…/lull, else HOME/fallback/lull. The specification has relative values ignored.
std::optional<std::string> xdg_folder(const PathInputs& inputs, const char* name,
                                      const std::string& fallback) {
  const auto base = variable(inputs, name);
  if (base && base->starts_with('/')) return without_end_slash(*base) + "/lull";
  if (!inputs.home.starts_with('/')) return std::nullopt;
  return without_end_slash(inputs.home) + '/' + fallback + "/lull";
}

/// Without XDG_RUNTIME_DIR, as under cron, the login manager's folder may still be there.
std::string user_runtime_folder(const PathInputs& inputs, const std::string& state_dir) {
  const auto base = variable(inputs, "XDG_RUNTIME_DIR");
  if (base && base->starts_with('/')) return without_end_slash(*base) + "/lull";
  const auto login = "/run/user/" + std::to_string(inputs.uid);
  return inputs.is_own_folder(login) ? login + "/lull" : state_dir + "/run";
}

Error no_home(const char* variable, const char* option) {
  return Error(std::string("the home folder is not known: set HOME, ") + variable + " or " +
               option);
}

/// Without overrides; a user's folder is empty where no home is known, and the runtime folder,
/// which may lie in the state folder, is left for later.
InstancePaths standard_paths(const PathInputs& inputs) {
  if (inputs.uid == 0) return {true, "/etc/lull", "/var/lib/lull", "/var/log/lull", "/run/lull"};
  const auto state = xdg_folder(inputs, "XDG_STATE_HOME", ".local/state").value_or("");
  return {false,
          xdg_folder(inputs, "XDG_CONFIG_HOME", ".config").value_or(""),
          state,
          state + "/logs",
          {}};
}

std::optional<std::string> environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::string current_folder() {
  std::array<char, PATH_MAX> buffer{};
  const char* const path = ::getcwd(buffer.data(), buffer.size());
  // A folder that was removed has no path; this one still leads there.
  return path == nullptr ? "/proc/self/cwd" : path;
}

bool is_own_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::getuid();
}

}  // namespace

Result<InstancePaths> instance_paths(const PathInputs& inputs) {
  auto paths = standard_paths(inputs);
  if (auto config = overridden(inputs, inputs.overrides.config_dir, "LULL_CONFIG_DIR")) {
    paths.config_dir = std::move(*config);
  }
  if (auto state = overridden(inputs, inputs.overrides.state_dir, "LULL_STATE_DIR")) {
    paths.state_dir = std::move(*state);
    paths.log_dir = paths.state_dir + "/logs";
  }
  if (paths.config_dir.empty()) return no_home("LULL_CONFIG_DIR", "--config-dir");
  if (paths.state_dir.empty()) return no_home("LULL_STATE_DIR", "--state-dir");
  if (auto runtime = overridden(inputs, inputs.overrides.runtime_dir, "LULL_RUNTIME_DIR")) {
    paths.runtime_dir = std::move(*runtime);
  } else if (!paths.system_instance) {
    paths.runtime_dir = user_runtime_folder(inputs, paths.state_dir);
  }
  return paths;
}

Result<InstancePaths> own_instance_paths(const PathOverrides& overrides) {
  PathInputs inputs{overrides, environment_variable, ::getuid(),
                    {},        current_folder(),     is_own_folder};
  inputs.home = environment_variable("HOME").value_or("");
  if (inputs.home.empty()) {
    const auto account = own_account();
    if (account) inputs.home = account->home;
  }
  return instance_paths(inputs);
}

}  // namespace lull::os
