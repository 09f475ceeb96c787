#include "runner/supervisor/load.hpp"

#include "jobs/after.hpp"
#include "runner/os/machine.hpp"

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace lull::supervisor {
namespace {

constexpr std::string_view kEnding = ".toml";

config::JobContext context_of(const os::InstancePaths& paths, const Account& self) {
  return {paths.system_instance, self.home, os::lowest_nice(), os::may_use_realtime_io(),
          self.name};
}

/// A diagnostic about a whole file.
config::Diagnostic about(const std::string& path, const Error& error) {
  return {path, 1, 1, error.what()};
}

Error no_job_name() {
  return Error(
      "the file's name makes no job's name: rename it to a-z, 0-9, '.', '_' and '-', a letter or "
      "digit first, at most 64, and .toml");
}

bool is_job_file(std::string_view name) {
  return !name.starts_with('.') && name.ends_with(kEnding);
}

std::string_view stem(std::string_view name) {
  return name.substr(0, name.size() - kEnding.size());
}

/// What is wrong with the jobs that this one waits for.
std::optional<std::string> wrong_after(const AfterGraph& graph, const std::string& job) {
  for (const std::string& other : graph.at(job)) {
    if (graph.contains(other)) continue;
    return "names " + config::quoted(other) + ", and there is no such job: write " + other +
           ".toml or remove the name";
  }
  const auto cycle = cycle_through(graph, job);
  if (cycle.empty()) return std::nullopt;
  std::string text = cycle.front();
  for (std::size_t i = 1; i < cycle.size(); ++i)
    text += " after " + cycle[i];
  return "leads back to the job itself, which would wait for ever (" + text +
         "): remove one of the names";
}

/// Reads job files under one lull.toml.
class Loader {
 public:
  Loader(const os::InstancePaths& paths, const Account& self)
      : paths_(paths), context_(context_of(paths, self)), trust_(os::trust_of(self)) {
    read_settings();
  }

  [[nodiscard]] const os::Trust& trust() const { return trust_; }

  LoadedJob job(std::string_view name, std::string path,
                const Result<os::TrustedText>& file) const {
    LoadedJob job{std::string(name), std::move(path), nullptr, "", {}, {}};
    if (!file) {
      job.diagnostics.push_back(about(job.path, file.error()));
      return job;
    }
    job.text = file->text;
    job.fingerprint = file->fingerprint;
    auto parsed =
        config::parse_job(file->text, job.path, name, context_, loaded_.settings.defaults);
    job.diagnostics = std::move(parsed.diagnostics);
    if (paths_.system_instance && !loaded_.settings_usable) {
      job.diagnostics.push_back(
          about(paths_.settings_file(),
                Error("what it limits or defaults for this job cannot be read: mend it first")));
    } else if (parsed.value) {
      job.spec = under_ceiling(std::move(*parsed.value));
    }
    return job;
  }

  void read_jobs() {
    const auto folder = os::TrustedDirectory::open(paths_.jobs_dir(), trust_);
    if (!folder) return refuse_jobs(folder.error());
    const auto names = folder->names();
    if (!names) return refuse_jobs(names.error());
    for (const std::string& name : *names) {
      if (is_job_file(name)) read_job(*folder, name);
    }
  }

  /// What only all files together can tell.
  void check_after() {
    AfterGraph graph;
    for (const LoadedJob& job : loaded_.jobs)
      graph[job.name] = job.spec ? job.spec->when.after : std::vector<std::string>();
    for (LoadedJob& job : loaded_.jobs) {
      const auto wrong = wrong_after(graph, job.name);
      if (wrong) refuse_after(job, *wrong);
    }
  }

  Loaded take() { return std::move(loaded_); }

 private:
  void read_settings() {
    const auto path = paths_.settings_file();
    const auto file = os::read_trusted_file(path, trust_);
    if (!file && file.error().code() == ENOENT) return;
    if (!file) {
      loaded_.settings_usable = false;
      loaded_.diagnostics.push_back(about(path, file.error()));
      return;
    }
    auto parsed = config::parse_settings(file->text, path, context_);
    loaded_.settings = std::move(*parsed.value);
    loaded_.settings_usable = loaded_.settings.complete;
    loaded_.diagnostics = std::move(parsed.diagnostics);
  }

  void refuse_after(LoadedJob& job, const std::string& what) {
    const config::Position at = config::place_of(job.text, "when", "after");
    job.diagnostics.push_back({job.path, at.line, at.column, "'when.after' " + what});
    loaded_.diagnostics.push_back(job.diagnostics.back());
    job.spec = nullptr;
  }

  void refuse_jobs(const Error& error) {
    if (error.code() != ENOENT) loaded_.diagnostics.push_back(about(paths_.jobs_dir(), error));
  }

  void read_job(const os::TrustedDirectory& folder, const std::string& file) {
    auto path = paths_.jobs_dir() + '/' + file;
    const auto name = stem(file);
    if (!is_job_name(name)) {
      loaded_.diagnostics.push_back(about(path, no_job_name()));
      return;
    }
    loaded_.jobs.push_back(job(name, std::move(path), folder.read(file)));
    // What is wrong with lull.toml is among them already.
    for (const auto& diagnostic : loaded_.jobs.back().diagnostics) {
      if (diagnostic.file != paths_.settings_file()) loaded_.diagnostics.push_back(diagnostic);
    }
  }

  [[nodiscard]] std::shared_ptr<const JobSpec> under_ceiling(JobSpec spec) const {
    const auto& ceiling = loaded_.settings.ceiling;
    if (ceiling) {
      const LevelTable asked = spec.priority.levels;
      spec.priority.levels = capped(asked, *ceiling);
      if (spec.priority.levels != asked) spec.priority.asked = asked;
    }
    return std::make_shared<const JobSpec>(std::move(spec));
  }

  const os::InstancePaths& paths_;
  config::JobContext context_;
  os::Trust trust_;
  Loaded loaded_;
};

}  // namespace

Loaded load(const os::InstancePaths& paths, const Account& self) {
  Loader loader(paths, self);
  loader.read_jobs();
  loader.check_after();
  return loader.take();
}

Loaded load_settings(const os::InstancePaths& paths, const Account& self) {
  return Loader(paths, self).take();
}

LoadedJob load_job(const std::string& path, const os::InstancePaths& paths, const Account& self) {
  std::error_code ignored;  // then the path stays relative, and opening it says so
  const auto absolute = std::filesystem::absolute(path, ignored);
  Loader loader(paths, self);
  const auto file = os::read_trusted_file(ignored ? path : absolute.string(), loader.trust());
  auto job = loader.job(absolute.stem().string(), path, file);
  if (!is_job_name(job.name)) {
    job.spec = nullptr;
    job.diagnostics.push_back(about(path, no_job_name()));
  }
  const auto diagnostics = loader.take().diagnostics;
  job.diagnostics.insert(job.diagnostics.begin(), diagnostics.begin(), diagnostics.end());
  return job;
}

}  // namespace lull::supervisor
