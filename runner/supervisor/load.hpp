#pragma once

#include "config/settings.hpp"
#include "jobs/spawn_plan.hpp"
#include "jobs/spec.hpp"
#include "runner/os/paths.hpp"
#include "runner/os/trusted_file.hpp"

#include <memory>
#include <string>
#include <vector>

namespace lull::supervisor {

/// One job file.
struct LoadedJob {
  std::string name;
  std::string path;
  std::shared_ptr<const JobSpec> spec;  ///< null: the file has errors
  std::string text;                     ///< of the file, if it could be read
  os::Fingerprint fingerprint;          ///< of the file that was read; zeros if none could be
  std::vector<config::Diagnostic> diagnostics;
};

/// What an instance's config folder says.
struct Loaded {
  config::Settings settings;
  /// False: lull.toml could not be read as a whole, so a default or a ceiling may be missing from
  /// `settings`. No job of the system instance has a definition then: one that lost its `user`
  /// would run as root.
  bool settings_usable = true;
  std::vector<LoadedJob> jobs;                  ///< by name
  std::vector<config::Diagnostic> diagnostics;  ///< all of them, the jobs' included
};

/// Loads lull.toml and jobs/*.toml of the instance of `self`, each only if it can be trusted. One
/// bad file stops no other; that there are no settings or no jobs is no error. Hidden files and
/// other endings are passed over. `[ceiling]` is applied.
Loaded load(const os::InstancePaths& paths, const Account& self);

/// lull.toml alone: without jobs. What is wrong there keeps its default and is among `diagnostics`.
Loaded load_settings(const os::InstancePaths& paths, const Account& self);

/// Loads one job file from anywhere under the settings of the instance, whose diagnostics are among
/// the job's. A relative path counts from the current folder.
LoadedJob load_job(const std::string& path, const os::InstancePaths& paths, const Account& self);

}  // namespace lull::supervisor
