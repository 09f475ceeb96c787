#pragma once

#include "runner/keeper/run.hpp"

namespace lull::keeper {

/// The kernel's sigset_t, in bytes.
inline constexpr std::size_t kKernelSigsetSize = 8;

enum class Phase { running, terminating, killing, done };

/// The run that this keeper keeps.
struct Run {
  PlanView plan;
  RunCgroups cgroups;
  Log log;
  Ended ended;
  pid_t self = 0;
  pid_t job = 0;
  int file = -1;              ///< the run's: claimed, and ready for the outcome
  int status = -1;            ///< pipe to the supervisor
  int go = -1;                ///< pipe from it, which the child waits for; -1: none
  int output = -1;            ///< read end of the job's output
  int signals = -1;           ///< signalfd
  int supervisor = -1;        ///< pidfd
  int driver = -1;            ///< pidfd of whoever may freeze the job
  bool driver_ended = false;  ///< without a next one, as far as it is known yet
  bool suspended = false;     ///< by Ctrl-Z: not ours to end
  Phase phase = Phase::running;
  std::int64_t timeout_at = -1;    ///< monotonic ms; -1: none
  std::int64_t autogroup_at = -1;  ///< when to try again to set it
  std::int64_t kill_at = -1;       ///< when the next harder step is due
  std::int64_t give_up_at = -1;
  std::int64_t thaw_at = -1;     ///< while it is being ended
  std::int64_t word_until = -1;  ///< how long the outcome waits for word of who ended the job
};

/// Reports to the supervisor, if it still listens.
void tell(const Run& run, const Report& report);
/// A spawn that failed at `stage` with -errno.
Report failure(Stage stage, long error);
/// Takes it down as the outcome, and reports it.
void note_failure(Run& run, const Report& report);

// --- start.cpp: the steps before the job.

/// Makes this process the keeper of `run`: its own session, deaf to signals but through a
/// descriptor, the parent of every orphan below it, holding nothing that it was not given.
void become_keeper(Run& run);
/// Starts the job. False where it could not be: the failure is noted then.
bool start_job(Run& run);
/// Closes what the caller of `lull run` had open, which belongs to the job alone: a pipe that we
/// kept open would never end.
void drop_stdio(const Run& run);
/// Sets when the autogroup's nice value, which the kernel would not take yet, is tried again.
void try_autogroup_later(Run& run);

}  // namespace lull::keeper
