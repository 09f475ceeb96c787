#pragma once

#include "jobs/run.hpp"
#include "jobs/spawn_plan.hpp"
#include "jobs/spec.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/keeper_plan.hpp"
#include "runner/os/keeper_process.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/run_file.hpp"
#include "runner/supervisor/driver.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>

namespace lull::supervisor {

/// How the daemon and `lull run` differ.
struct LaunchOptions {
  Stdio stdio = Stdio::log;
  std::array<int, 3> descriptors{-1, -1, -1};
  bool stop_with_supervisor = false;
  Foreground state = Foreground::light;  ///< of the foreground, as far as it is known
  std::optional<ScopePlacement> scope;   ///< that the caller will have the job put into
  std::string log_name;                  ///< empty: the run's number
};

/// A run whose keeper has been started; whether the job runs is for the keeper to report.
struct Launched {
  os::KeeperProcess keeper;
  SpawnPlan plan;
  std::string cgroup_name;
  std::string log;           ///< empty where stdio passes through
  os::Fd go;                 ///< closed, it lets a job go on that waits for its scope
  std::string scope_failed;  ///< why the job did not get it

  /// The scope's, where the plan has one.
  [[nodiscard]] std::string scope_name() const;
};

/// Turns a recorded run into a keeper at work: looks up what the plan needs, decides it, hands it
/// over. Limits and accounts are those of its construction; what the machine can do to a job is
/// looked up again (`look_again`), since an administrator may change it under us.
class Launcher {
 public:
  /// `run_files` must outlive the launcher.
  static Result<Launcher> make(const os::RunFiles& run_files, std::string log_folder);

  /// Probes the machine's knobs again, if the last time is a while ago.
  void look_again();

  /// Starts `run` of `spec`. An error means that there is no process and will be none.
  [[nodiscard]] Result<Launched> launch(const JobSpec& spec, const RunRecord& run,
                                        const LaunchOptions& options) const;

  /// What the loop needs to drive a run: `keeper` is its keeper, `main` its job's main process.
  [[nodiscard]] DrivenRun driven(const JobSpec& spec, const RunRecord& run,
                                 os::ProcessIdentity keeper, pid_t main, Foreground state) const;
  [[nodiscard]] const std::string& boot_id() const { return boot_id_; }
  [[nodiscard]] const Account& self() const { return self_; }
  [[nodiscard]] const Environment& environment() const { return environment_; }

 private:
  Launcher(const os::RunFiles& run_files, os::KeeperProgram program)
      : run_files_(&run_files), program_(std::move(program)) {}

  void probe();
  [[nodiscard]] Result<SpawnContext> context_of(const JobSpec& spec,
                                                const LaunchOptions& options) const;

  const os::RunFiles* run_files_;
  os::KeeperProgram program_;
  os::CgroupParents cgroups_;
  Capabilities can_;
  Capabilities can_in_scope_;
  Instant probed_{0};
  os::FileLimit files_;
  Environment environment_;
  Account self_;
  std::string boot_id_;
  std::string log_folder_;
};

/// What history says of a level as it was applied: each knob with the value that the kernel gave
/// back, or with why it could not be set.
Applied describe_applied(const Launched& launched, std::span<const keeper::Report> reports);

/// Whether the keeper goes on trying to set the autogroup's nice value.
bool awaits_autogroup(std::span<const keeper::Report> reports);

/// "exec: No such file or directory (resstic)".
std::string describe_failure(const Launched& launched, const keeper::Report& report);

}  // namespace lull::supervisor
