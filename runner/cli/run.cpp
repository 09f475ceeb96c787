#include "runner/cli/run.hpp"

#include "runner/cli/attached_run.hpp"
#include "runner/os/account.hpp"
#include "runner/os/errno_error.hpp"
#include "runner/os/run_processes.hpp"
#include "runner/store/store_thread.hpp"
#include "runner/supervisor/launcher.hpp"
#include "runner/supervisor/load.hpp"
#include "runner/supervisor/user_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

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

/// History is worth having, but a full disk must not keep a command from running, and a slow one
/// must not keep the loop from looking at other jobs.
class Record {
 public:
  Record(const os::InstancePaths& paths, boost::asio::io_context& loop) : loop_(loop) {
    const auto made = os::make_folders(paths.state_dir, 0700);
    auto store = made ? store::Store::open(paths.database()) : Result<store::Store>(made.error());
    if (store) {
      first_ = std::make_unique<store::Store>(std::move(*store));
    } else {
      warn(store.error());
    }
  }

  /// The run's number, which only the database knows; from here on nothing waits for it.
  RunId add(const RunRecord& run) {
    RunId id = 0;
    if (!first_) return id;
    const auto added = store::guarded([&] {
      first_->begin();
      id = first_->add_run(run, store::Owner::command).value_or(0);
      first_->set_started(id, *run.started, "");
      first_->commit();
    });
    if (added) {
      thread_ = std::make_unique<store::StoreThread>(
          std::move(*first_), [this](auto done) { boost::asio::post(loop_, std::move(done)); });
    } else {
      warn(added.error());
    }
    first_.reset();
    return id;
  }
  void add_level(RunId run, LevelChange level) {
    submit([run, level = std::move(level)](store::Store& store) { store.add_level(run, level); });
  }
  /// Waits until all of it is recorded.
  void close(RunId run, const Ending& ending) {
    submit([run, ending](store::Store& store) { store.close_run(run, ending); });
    thread_.reset();
    loop_.restart();
    loop_.poll();  // what went wrong with it
  }
  [[nodiscard]] bool works() const { return thread_ != nullptr; }

 private:
  void submit(store::StoreThread::Work work) {
    if (!thread_) return;
    const auto done = [this](const std::optional<Error>& error) {
      if (error && !std::exchange(warned_, true)) warn(*error);
    };
    thread_->submit(std::move(work), done, store::StoreThread::Urgency::soon);
  }
  static void warn(const Error& error) { complain("not recorded: " + error.what()); }

  boost::asio::io_context& loop_;
  std::unique_ptr<store::Store> first_;
  std::unique_ptr<store::StoreThread> thread_;
  bool warned_ = false;
};

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

Ending ending_of(const os::RunFiles& files, RunId run) {
  const auto claimed = files.read(run);
  if (claimed && *claimed && (*claimed)->outcome) return (*claimed)->outcome->ending;
  Ending ending;
  ending.at = os::now();
  ending.outcome = Outcome::interrupted;
  ending.detail = "the keeper ended without an outcome";
  return ending;
}

/// What `lull run` makes of its run's news: the loop gets the run, history its levels, stderr what
/// the user asked for.
class Attended : public AttachedEvents {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    const JobSpec& spec;
    const RunRecord& run;
    const supervisor::Launcher& launcher;
    const supervisor::Launched& launched;
    Record& record;
    std::string runtime_dir;
    ForegroundSettings foreground;
    bool verbose;
    bool raw_terminal;
  };

  explicit Attended(const Parts& parts)
      : parts_(parts),
        drive_(parts.loop.get_executor(), parts.runtime_dir, parts.foreground,
               [this](const supervisor::Change& change) { changed(change.level); }),
        quiet_(parts.loop) {}

  void reported(std::span<const keeper::Report> reports) override {
    for (; reported_ < reports.size(); ++reported_)
      take(reports[reported_], reports);
  }

  /// Whoever is spoken to must not be frozen: the loop gets the run back when it has been quiet.
  void addressed() override {
    if (!run_) return;
    if (!std::exchange(spoken_to_, true)) take_out();
    quiet_.expires_after(kAddressed);
    quiet_.async_wait([this](const boost::system::error_code& error) {
      // A wait that was over before it was made longer comes all the same.
      if (error || quiet_.expiry() > std::chrono::steady_clock::now()) return;
      spoken_to_ = false;
      run_->fresh = false;
      drive_.add(*run_);
    });
  }
  void suspending() override { drive_.leave(); }
  void continuing() override { drive_.rejoin(); }

  /// Takes the run out of the loop; returns how long it stood still in all.
  Duration finish() {
    quiet_.cancel();
    if (run_ && !spoken_to_) take_out();
    // Another lull that has the loop answers at once, or it is gone.
    parts_.loop.restart();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (leaving_ > 0 && parts_.loop.run_one_until(give_up) > 0) {
    }
    return paused_;
  }

  [[nodiscard]] const keeper::Report& failed() const { return failed_; }

 private:
  static constexpr std::chrono::seconds kAddressed{2};

  void take(const keeper::Report& news, std::span<const keeper::Report> all) {
    using Kind = keeper::Report::Kind;
    if (news.kind == Kind::spawn_failed) {
      failed_ = news;
      complain(describe_failure(parts_.launched, news));
    } else if (news.kind == Kind::running || news.kind == Kind::autogroup_set) {
      const SpawnPlan& plan = parts_.launched.plan;
      changed({os::now(), plan.state, to_string(plan.level), describe_applied(parts_.launched, all),
               plan.level_reason});
    }
    if (news.kind == Kind::running) drive(news.pid);
  }

  void changed(const LevelChange& level) {
    parts_.record.add_level(parts_.run.id, level);
    if (!parts_.verbose) return;
    std::fprintf(stderr, "lull: %s: %s%s", level.level.c_str(), level.reason.c_str(),
                 parts_.raw_terminal ? "\r\n" : "\n");
  }

  void drive(pid_t main) {
    // In a job of lull's it goes with that job, and must not freeze it: it would freeze itself.
    if (os::belongs_to_run(::getpid())) return;
    const auto keeper = os::identify_process(parts_.launched.keeper.pid);
    if (!keeper) return;  // it has ended already
    run_ =
        parts_.launcher.driven(parts_.spec, parts_.run, *keeper, main, parts_.launched.plan.state);
    drive_.add(*run_);
  }

  void take_out() {
    ++leaving_;
    drive_.remove(run_->key, [this](Duration paused) {
      --leaving_;
      paused_ += paused;
    });
  }

  Parts parts_;
  supervisor::UserLoop drive_;
  boost::asio::steady_timer quiet_;
  std::optional<supervisor::DrivenRun> run_;
  keeper::Report failed_;
  std::size_t reported_ = 0;
  Duration paused_{0};
  int leaving_ = 0;
  bool spoken_to_ = false;
};

/// One command from its record to its exit code.
Result<int> run_spec(const JobSpec& spec, const os::InstancePaths& paths,
                     const ForegroundSettings& foreground, bool verbose) {
  boost::asio::io_context loop(1);
  Record record(paths, loop);
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
  auto launched = launcher->launch(spec, run, streams->options);
  if (!launched) return launched.error();

  (void)os::make_folders(paths.runtime_dir, 0700);  // without it the run has a loop of its own
  Attended attended({loop, spec, run, *launcher, *launched, record, paths.runtime_dir, foreground,
                     verbose, streams->pty.has_value()});
  AttachedRun(loop, std::move(launched->keeper), std::move(streams->pty), attended).follow();
  Ending ending = ending_of(place->files(), run.id);
  ending.paused = attended.finish();
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
