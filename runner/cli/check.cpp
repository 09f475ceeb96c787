#include "runner/cli/check.hpp"

#include "runner/os/account.hpp"
#include "runner/supervisor/load.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace lull::cli {
namespace {

namespace fs = std::filesystem;
using config::Diagnostic;

/// What has been looked at.
struct Checked {
  std::vector<Diagnostic> diagnostics;
  std::size_t jobs = 0;

  /// A diagnostic of lull.toml comes with each job that was read under it.
  void add(const std::vector<Diagnostic>& more) {
    for (const Diagnostic& problem : more) {
      if (std::find(diagnostics.begin(), diagnostics.end(), problem) == diagnostics.end()) {
        diagnostics.push_back(problem);
      }
    }
  }
};

/// A folder is a configuration if it has jobs/, else a folder of job files.
void check_folder(const fs::path& folder, os::InstancePaths paths, const Account& self,
                  Checked& checked) {
  if (fs::is_directory(folder / "jobs")) {
    paths.config_dir = folder.string();
    const supervisor::Loaded loaded = supervisor::load(paths, self);
    checked.jobs += loaded.jobs.size();
    checked.add(loaded.diagnostics);
    return;
  }
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() == ".toml" && name.front() != '.') files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    checked.add(supervisor::load_job(file, paths, self).diagnostics);
    ++checked.jobs;
  }
}

void check_path(const fs::path& path, const os::InstancePaths& paths, const Account& self,
                Checked& checked) {
  if (fs::is_directory(path)) return check_folder(fs::absolute(path), paths, self, checked);
  if (path.filename() == "lull.toml") {
    os::InstancePaths there = paths;
    there.config_dir = fs::absolute(path).parent_path();
    if (fs::exists(path)) return checked.add(supervisor::load(there, self).diagnostics);
  }
  checked.add(supervisor::load_job(path, paths, self).diagnostics);
  ++checked.jobs;
}

void print_json(const std::vector<Diagnostic>& diagnostics) {
  auto all = nlohmann::ordered_json::array();
  for (const Diagnostic& problem : diagnostics) {
    all.push_back({{"file", problem.file},
                   {"line", problem.line},
                   {"column", problem.column},
                   {"message", problem.message}});
  }
  std::printf("%s\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void print_text(const Checked& checked) {
  for (const Diagnostic& problem : checked.diagnostics) {
    std::printf("%s\n", to_string(problem).c_str());
  }
  if (checked.diagnostics.empty()) {
    std::printf("%zu job file%s, no errors\n", checked.jobs, checked.jobs == 1 ? "" : "s");
  }
}

}  // namespace

int run_check(const InstanceOptions& instance, const CheckOptions& options) {
  const os::InstancePaths paths = paths_of(instance);
  const Account self = os::own_account().value();
  Checked checked;
  if (options.paths.empty()) {
    const supervisor::Loaded loaded = supervisor::load(paths, self);
    checked.jobs = loaded.jobs.size();
    checked.add(loaded.diagnostics);
  }
  for (const std::string& path : options.paths)
    check_path(path, paths, self, checked);
  if (options.json) {
    print_json(checked.diagnostics);
  } else {
    print_text(checked);
  }
  return checked.diagnostics.empty() ? kDone : kUsage;
}

}  // namespace lull::cli
