#pragma once

#include "jobs/spawn_plan.hpp"
#include "jobs/spec.hpp"
#include "runner/desktop/service_manager.hpp"
#include "runner/supervisor/launcher.hpp"
#include "runner/supervisor/unit_weights.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <optional>
#include <string>

namespace lull::supervisor {

/// The service manager that gives our runs their scopes.
struct ScopeManager {
  std::string mount;  ///< of cgroup v2
  std::string socket;
};

/// None: no manager runs cgroup v2 alone, or we are part of a job ourselves, whose runs stay with
/// it.
std::optional<ScopeManager> scope_manager();

/// Starts a scope in one of lull's slices. The driver sees to the weights of slices that are in
/// use; one that is new weighs as `level` does, or its first run would begin with the share of an
/// ordinary program.
boost::asio::awaitable<Result<void>> put_in_scope(desktop::ServiceManager& manager,
                                                  desktop::Scope scope, Level level);

/// Where systemd runs the machine, each job gets a scope of its own in lull's slices, so that the
/// kernel shares the CPU between these and everything else (systemd.scope(5), systemd.slice(5)):
///
///   lull.slice        the runs that are adapted; weighs as much as the most favoured of them
///   lull-idle.slice   in it, those that are never better than nice 19
///   app.slice, or root's system.slice: those that are never adapted, beside what else is there
class Scopes {
 public:
  explicit Scopes(boost::asio::any_io_executor loop);

  /// What a run of `spec` is to get here; none: there is no scope_manager().
  [[nodiscard]] std::optional<ScopePlacement> placement(const JobSpec& spec) const;

  /// Puts `process`, which waits for it, into its scope and lets it go on. What fails is noted in
  /// `launched`: the job then runs where it was.
  boost::asio::awaitable<void> place(Launched& launched, pid_t process);

  /// A run that is in a scope since an earlier supervisor's time.
  void take_up(const os::RunProcesses& run);

 private:
  void interrupted(const std::string& unit);
  void remember(const std::string& unit, os::ProcessIdentity keeper);

  std::string mount_;
  std::string own_unit_;  ///< our scopes are stopped before it
  bool of_machine_ = false;
  std::map<std::string, os::ProcessIdentity> keepers_;  ///< of the runs, by their scopes
  std::optional<desktop::ServiceManager> manager_;
};

}  // namespace lull::supervisor
