#pragma once

#include "jobs/spec.hpp"
#include "runner/os/run_file.hpp"
#include "runner/supervisor/launcher.hpp"
#include "tests/support/temp_folder.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lull::tests {

/// The probe's own path, beside the test program.
std::string probe();

/// A job that runs the probe: `probe_job({"exit", "3"})`.
JobSpec probe_job(const std::vector<std::string>& arguments);

/// "KEY VALUE" lines by key, in the order in which they came.
std::multimap<std::string, std::string> parse_output(const std::string& text);

/// One run under a real keeper, without a supervisor.
class OneRun {
 public:
  explicit OneRun(const JobSpec& spec, const supervisor::LaunchOptions& options = {});
  ~OneRun();
  OneRun(const OneRun&) = delete;
  OneRun& operator=(const OneRun&) = delete;

  /// Lets a job go on that waits to be in its scope.
  void let_go() { launched_->go.reset(); }
  /// Waits until the job runs, or cannot.
  bool wait_until_running();
  /// Waits for the keeper's end and returns what it left.
  std::optional<os::KeeperOutcome> wait();
  void signal_keeper(int signal) const;

  /// The main process; 0 before it runs.
  [[nodiscard]] pid_t job() const;
  [[nodiscard]] pid_t keeper() const { return launched_->keeper.pid; }
  [[nodiscard]] const std::vector<keeper::Report>& reports() const { return reports_; }
  /// The same after another look.
  const std::vector<keeper::Report>& reports_now() {
    read_reports();
    return reports_;
  }
  /// What the loop would be told of it, once it runs.
  [[nodiscard]] supervisor::DrivenRun driven() const;
  [[nodiscard]] const supervisor::Launched& launched() const { return *launched_; }
  /// What the job has printed so far.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::string log_path() const { return launched_->log; }
  [[nodiscard]] std::string run_file() const { return files_.path(1); }
  [[nodiscard]] std::string state_folder() const { return state_.path(); }
  /// Why there was no keeper at all.
  [[nodiscard]] const std::string& launch_error() const { return launch_error_; }

 private:
  void read_reports();

  JobSpec spec_;
  RunRecord run_;
  TempFolder state_;
  os::RunFiles files_;
  supervisor::Launcher launcher_;
  std::optional<supervisor::Launched> launched_;
  std::string launch_error_;
  std::vector<keeper::Report> reports_;
};

/// Moves a process from `group` to the group above, as somebody may do.
void move_out_of(const std::string& group, pid_t process);

/// Whether a process with this pid is there, zombies not counted.
bool is_alive(pid_t pid);

/// Whether a signal waits for a process that blocks it.
bool has_pending(pid_t pid, int signal);

/// Text of a file, "" when it is not there.
std::string slurp(const std::string& path);

}  // namespace lull::tests
