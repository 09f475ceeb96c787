#include "runner/cli/run.hpp"

#include "runner/cli/attended.hpp"
#include "runner/os/account.hpp"
#include "runner/os/errno_error.hpp"
#include "runner/supervisor/load.hpp"

#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace lull::cli {
namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kSignalled = 128;

Result<std::string> current_folder() {
  std::array<char, PATH_MAX> path{};
  if (::getcwd(path.data(), path.size()) == nullptr) {
    return os::errno_error("find the current folder");
  }
  return success(path.data());
}

/// A command line as a job: here, with all of our environment, nothing added but a priority.
Result<JobSpec> spec_of_command(const RunOptions& options) {
  const auto folder = current_folder();
  if (!folder) return folder.error();
  JobSpec spec;
  const std::string& program = options.command.front();
  spec.name = "run:" + program.substr(program.rfind('/') + 1);  // no job file can be called so
  spec.what = Command{options.command};
  spec.directory = *folder;
  for (const auto& [name, value] : os::own_environment())
    spec.pass_environment.push_back(name);
  if (!options.policy.empty()) {
    const auto policy = parse_policy(options.policy);
    if (!policy) return policy.error();
    spec.priority.policy = *policy;
    spec.priority.levels = levels_of(*policy);
  }
  return spec;
}

/// Where the run's file is: below the state folder, or in a temporary one where that cannot be
/// written, which goes when we do.
class RunPlace {
 public:
  static Result<RunPlace> make(const os::InstancePaths& paths, bool recorded) {
    std::string temporary;
    if (!recorded) {
      temporary = "/tmp/lull-run.XXXXXX";
      if (::mkdtemp(temporary.data()) == nullptr) return os::errno_error("make a folder in /tmp");
    }
    auto files = os::RunFiles::open(recorded ? paths.state_dir : temporary);
    if (!files) return files.error();
    return RunPlace(std::move(*files), std::move(temporary));
  }

  [[nodiscard]] const os::RunFiles& files() const { return files_; }

  void remove(RunId run) const {
    files_.remove(run);
    if (temporary_.empty()) return;
    ::rmdir((temporary_ + "/runs").c_str());
    ::rmdir(temporary_.c_str());
  }

 private:
  RunPlace(os::RunFiles files, std::string temporary)
      : files_(std::move(files)), temporary_(std::move(temporary)) {}
  os::RunFiles files_;
  std::string temporary_;
};

int exit_code_of(const Ending& ending, const keeper::Report& failed) {
  if (ending.exit_code) return *ending.exit_code;
  if (ending.signal) return kSignalled + *ending.signal;
  if (failed.stage != keeper::Stage::exec) return kFailed;
  return failed.error == ENOENT ? kNotFound : kNotExecutable;
}

/// stdin being a terminal, the job gets one of its own in place of each of ours.
struct Streams {
  std::optional<os::Pty> pty;
  supervisor::LaunchOptions options;
};

Result<Streams> make_streams() {
  Streams streams;
  streams.options.stdio = Stdio::inherit;
  streams.options.stop_with_supervisor = true;
  if (::isatty(STDIN_FILENO) == 0) return streams;
  auto pty = os::open_pty(STDIN_FILENO);
  if (!pty) return pty.error();
  streams.options.stdio = Stdio::terminal;
  for (int fd = 0; fd < 3; ++fd) {
    if (::isatty(fd) != 0) {
      streams.options.descriptors[static_cast<std::size_t>(fd)] = pty->slave.get();
    }
  }
  streams.pty = std::move(*pty);
  return streams;
}

/// One command from its record to its exit code.
Result<int> run_spec(const JobSpec& spec, const os::InstancePaths& paths,
                     const ForegroundSettings& foreground, bool verbose) {
  boost::asio::io_context loop(1);
  CommandRecord record(paths, loop);
  RunRecord run;
  run.job = spec.name;
  run.trigger = Trigger::manual;
  run.slot = os::now();
  run.started = run.slot;
  run.id = record.add(run);
  const auto place = RunPlace::make(paths, record.works());
  if (!place) return place.error();
  const auto launcher = supervisor::Launcher::make(place->files(), paths.log_dir);
  if (!launcher) return launcher.error();
  auto streams = make_streams();
  if (!streams) return streams.error();
  supervisor::Scopes scopes(loop.get_executor());
  streams->options.scope = scopes.placement(spec);
  auto launched = launcher->launch(spec, run, streams->options);
  if (!launched) return launched.error();

  (void)os::make_folders(paths.runtime_dir, 0700);  // without it the run has a loop of its own
  Attended attended({loop, spec, run, *launcher, *launched, scopes, record, paths.runtime_dir,
                     foreground, verbose, streams->pty.has_value()});
  AttachedRun(loop, std::move(launched->keeper), std::move(streams->pty), attended).follow();
  Ending ending = place->files().ending_of(run.id);
  ending.paused = attended.paused();
  record.close(run.id, ending);
  place->remove(run.id);
  return exit_code_of(ending, attended.failed());
}

void print(const std::vector<config::Diagnostic>& diagnostics) {
  for (const config::Diagnostic& problem : diagnostics)
    std::fprintf(stderr, "%s\n", to_string(problem).c_str());
}

Result<JobSpec> spec_of_file(const std::string& file, const os::InstancePaths& paths,
                             const Account& self) {
  const supervisor::LoadedJob job = supervisor::load_job(file, paths, self);
  print(job.diagnostics);
  if (!job.spec) return Error(file + " has errors");
  return *job.spec;
}

}  // namespace

int run_run(const InstanceOptions& instance, const RunOptions& options) {
  block_signals();
  if (options.job_file.empty() && options.command.empty()) {
    complain("run what? lull run -- CMD…, or lull run --job FILE");
    return kUsage;
  }
  const os::InstancePaths paths = paths_of(instance);
  const auto self = os::own_account();
  const auto spec = !self                      ? Result<JobSpec>(self.error())
                    : options.job_file.empty() ? spec_of_command(options)
                                               : spec_of_file(options.job_file, paths, *self);
  if (!spec) {
    complain(spec.error().what());
    return kUsage;
  }
  const supervisor::Loaded loaded = supervisor::load_settings(paths, *self);
  if (options.job_file.empty()) print(loaded.diagnostics);  // a job file's have these among them
  const auto exit_code = run_spec(*spec, paths, loaded.settings.foreground, options.verbose);
  if (exit_code) return *exit_code;
  complain(exit_code.error().what());
  return kFailed;
}

}  // namespace lull::cli
