// The life of one run, as its keeper lives it: claim, start the job, copy its output, wait, clear
// what it leaves behind, publish the outcome.
#include "runner/keeper/life.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lull::keeper {

namespace {

/// After SIGKILL, how long to wait for leftovers that do not die (stuck in the kernel, or another
/// user's) before the run is closed without them.
constexpr std::int64_t kGiveUpMs = 10'000;
constexpr std::int64_t kKillAgainMs = 50;
/// How often a job that is being ended is thawed: whoever drives it may not know yet.
constexpr std::int64_t kThawAgainMs = 50;
/// A job in a scope that was killed: how long the supervisor has to say that the service manager is
/// ending that scope. It hears so before the job is killed, but may be slower than the job.
constexpr std::int64_t kWordMs = 5'000;

bool is_success(const Run& run) {
  if (!WIFEXITED(run.ended.status)) return false;
  const auto code = static_cast<unsigned>(WEXITSTATUS(run.ended.status));
  return ((run.plan->success[code / 64] >> (code % 64)) & 1U) != 0;
}

/// Makes the job go on, however it was made to stand still.
void thaw(Run& run) {
  thaw_cgroups(run.cgroups);
  signal_tree(run.self, SIGCONT);
  run.suspended = false;
}

void begin_terminating(Run& run) {
  if (run.phase != Phase::running) return;
  run.phase = Phase::terminating;
  run.kill_at = monotonic_ms() + static_cast<std::int64_t>(run.plan->stop_timeout_ms);
  signal_tree(run.self, SIGTERM);
  thaw(run);  // a frozen or stopped process sees SIGTERM only when it goes on
  run.thaw_at = monotonic_ms() + kThawAgainMs;
}

void forget_driver(Run& run) {
  sys(SYS_close, run.driver);
  run.driver = -1;
}

/// Whoever signals so may freeze the job from now on. If that process ends, however it ends, the
/// job goes on: nothing stays frozen because lull was killed.
void take_driver(Run& run, pid_t driver) {
  run.autogroup_at = -1;  // its business now, and it may have moved the job to another level
  if (run.driver >= 0) forget_driver(run);
  run.driver = static_cast<int>(sys(SYS_pidfd_open, driver, 0));
  run.driver_ended = run.driver < 0;
}

void take_supervisor(Run& run, pid_t supervisor) {
  if (run.supervisor >= 0) sys(SYS_close, run.supervisor);
  run.supervisor = static_cast<int>(sys(SYS_pidfd_open, supervisor, 0));
}

/// The group may be gone at any moment after its last process.
void note_oom_kills(Run& run) {
  const int kills = count_oom_kills(run.cgroups);
  if (kills > run.ended.oom_kills) run.ended.oom_kills = kills;
}

/// The main process decides the outcome. Whatever lives on after it is ended and counted.
void main_exited(Run& run, int status) {
  run.ended.status = status;
  run.ended.waited = true;
  run.ended.ended_us = now_us();
  note_oom_kills(run);
  const std::string_view outcome(run.ended.outcome);
  const bool success = is_success(run);
  if (run.ended.failed.error == 0 && outcome == "success" && !success) run.ended.outcome = "failed";
  if (outcome == "interrupted" && success) run.ended.outcome = "success";  // it came to its end
  const bool killed =
      WIFSIGNALED(status) && (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL);
  if (killed && outcome == "success" && run.plan->scope_mount.length > 0 && run.supervisor >= 0 &&
      run.ended.oom_kills == 0) {
    run.word_until = monotonic_ms() + kWordMs;
  }
}

void interrupted(Run& run) {
  const bool is_open = run.phase == Phase::running && !run.ended.waited;
  if (is_open || run.word_until >= 0) run.ended.outcome = "interrupted";
  run.word_until = -1;
}

/// Reaps all there is. Sets phase `done` when no descendant is left: as their subreaper we are
/// then nobody's parent (ECHILD).
void reap(Run& run) {
  for (;;) {
    int status = 0;
    const long pid = sys(SYS_wait4, -1, &status, WNOHANG, nullptr);
    if (pid == -ECHILD) run.phase = Phase::done;
    if (pid <= 0) break;
    if (pid == run.job) main_exited(run, status);
  }
  if (run.phase == Phase::running && run.ended.waited) {
    run.ended.left_behind = signal_tree(run.self, 0);
    begin_terminating(run);
  }
}

void stop(Run& run, const char* outcome) {
  if (run.phase == Phase::running && !run.ended.waited) run.ended.outcome = outcome;
  begin_terminating(run);
}

void take_signals(Run& run) {
  signalfd_siginfo info{};
  bool passed_on = false;
  while (sys(SYS_read, run.signals, &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGCHLD:
        break;  // reaped on every turn
      case SIGTERM:
        stop(run, "stopped");
        break;
      case SIGTSTP:
        run.suspended = true;
        signal_tree(run.self, SIGSTOP);
        break;
      case kInterruptedSignal:
        interrupted(run);
        break;
      case kDriverSignal:
        take_driver(run, static_cast<pid_t>(info.ssi_pid));
        break;
      case kSupervisorSignal:
        take_supervisor(run, static_cast<pid_t>(info.ssi_pid));
        break;
      case SIGCONT:
        run.suspended = false;
        signal_tree(run.self, SIGCONT);
        break;
      default:
        signal_tree(run.self, static_cast<int>(info.ssi_signo));
        passed_on = true;
        break;
    }
  }
  // Whoever froze the job may be stopped itself, and would not let it hear. Only now, since a
  // driver that is new is heard of last: its signal has the highest number.
  if (passed_on && run.driver >= 0 && !run.suspended) thaw(run);
}

void copy_output(Run& run) {
  static char buffer[32768];
  while (run.output >= 0) {
    const long n = sys(SYS_read, run.output, buffer, sizeof buffer);
    if (n == -EINTR) continue;
    if (n > 0) run.log.append({buffer, static_cast<std::size_t>(n)});
    if (n == 0) {
      sys(SYS_close, run.output);
      run.output = -1;
    }
    if (n < static_cast<long>(sizeof buffer)) return;
  }
}

void kill_tree(Run& run, std::int64_t now) {
  if (run.phase == Phase::terminating) {
    run.phase = Phase::killing;
    run.give_up_at = now + kGiveUpMs;
  }
  kill_cgroup(run.cgroups);
  thaw_cgroups(run.cgroups);  // v1: a frozen process dies only when it goes on
  const int left = signal_tree(run.self, SIGKILL);
  run.kill_at = now + kKillAgainMs;
  if (now >= run.give_up_at && run.ended.waited) {
    run.ended.unkillable = left;
    run.phase = Phase::done;
  }
}

void set_autogroup(Run& run) {
  Line<32> process;
  process << "/proc/" << static_cast<std::int64_t>(run.job);
  run.autogroup_at = -1;
  const long set = write_autogroup(process.c_str(), run.plan->autogroup_nice);
  if (set == -EAGAIN) return try_autogroup_later(run);
  if (set < 0) return;
  Report report;
  report.kind = Report::Kind::autogroup_set;
  report.pid = run.job;
  report.autogroup_nice = read_autogroup(process.c_str());
  tell(run, report);
}

/// The earlier of two instants, of which -1 is none.
std::int64_t earlier(std::int64_t a, std::int64_t b) {
  if (a < 0 || b < 0) return a < 0 ? b : a;
  return a < b ? a : b;
}

void check_clock(Run& run) {
  const std::int64_t now = monotonic_ms();
  if (now >= run.word_until) run.word_until = -1;
  if (run.autogroup_at >= 0 && now >= run.autogroup_at) set_autogroup(run);
  if (run.timeout_at >= 0 && now >= run.timeout_at) {
    run.timeout_at = -1;
    stop(run, "timed-out");
  }
  if (run.phase == Phase::terminating && now >= run.thaw_at) {
    thaw(run);
    run.thaw_at = now + kThawAgainMs;
  }
  if (run.phase != Phase::running && run.phase != Phase::done && now >= run.kill_at) {
    kill_tree(run, now);
  }
}

void wait_for_event(Run& run) {
  const std::int64_t next = run.phase == Phase::running ? earlier(run.timeout_at, run.autogroup_at)
                            : run.phase == Phase::terminating ? earlier(run.kill_at, run.thaw_at)
                            : run.phase == Phase::killing     ? run.kill_at
                                                              : run.word_until;
  timespec wait{};
  if (next >= 0) {
    const std::int64_t left = next - monotonic_ms();
    wait.tv_sec = left > 0 ? left / 1000 : 0;
    wait.tv_nsec = left > 0 ? left % 1000 * 1'000'000 : 0;
  }
  pollfd fds[] = {{run.signals, POLLIN, 0},
                  {run.output, POLLIN, 0},
                  {run.supervisor, POLLIN, 0},
                  {run.driver, POLLIN, 0},
                  {run.cgroups.memory_events, POLLPRI, 0}};
  sys(SYS_ppoll, fds, 5, next >= 0 ? &wait : nullptr, nullptr, kKernelSigsetSize);
  // Before the signals: one of them may bring the next driver or supervisor, whose pidfd can have
  // the same number.
  const bool supervisor_ended = fds[2].revents != 0;
  if (supervisor_ended) {
    sys(SYS_close, run.supervisor);
    run.supervisor = -1;
  }
  if (fds[3].revents != 0) {
    forget_driver(run);
    run.driver_ended = true;
  }
  // Also when the poll saw none: the next driver may have come, and have frozen the job, since.
  if (fds[0].revents != 0 || run.driver_ended) take_signals(run);
  if (fds[1].revents != 0) copy_output(run);
  if (fds[4].revents != 0) note_oom_kills(run);
  if (supervisor_ended && run.supervisor < 0) {
    run.word_until = -1;
    if (run.plan.has(kStopWithSupervisor)) stop(run, "stopped");
  }
  if (run.driver_ended && !run.suspended) thaw(run);
  run.driver_ended = false;
}

void watch_job(Run& run) {
  if (run.plan->timeout_ms > 0) {
    run.timeout_at = monotonic_ms() + static_cast<std::int64_t>(run.plan->timeout_ms);
  }
  for (reap(run); run.phase != Phase::done || run.word_until >= 0; reap(run)) {
    wait_for_event(run);
    check_clock(run);
  }
  copy_output(run);
}

/// Forgets a child that failed before exec.
void reap_failed(Run& run) {
  if (run.job > 0) sys(SYS_wait4, run.job, nullptr, 0, nullptr);
}

int run_job(Run& run) {
  if (start_job(run)) {
    drop_stdio(run);
    watch_job(run);
  } else {
    reap_failed(run);
  }
  if (run.plan.has(kLogOutput)) run.log.finish();
  remove_cgroups(run.plan, run.cgroups, run.self);
  run.ended.dropped = run.log.dropped();
  if (run.ended.started_us == 0) run.ended.started_us = now_us();
  if (run.ended.ended_us == 0) run.ended.ended_us = now_us();
  return publish_outcome(run.file, run.ended) < 0 ? 1 : 0;
}

}  // namespace

void tell(const Run& run, const Report& report) {
  sys(SYS_write, run.status, &report, sizeof report);  // nobody may listen any more: no matter
}

Report failure(Stage stage, long error) {
  Report report;
  report.kind = Report::Kind::spawn_failed;
  report.stage = stage;
  report.error = static_cast<std::int32_t>(-error);
  return report;
}

void note_failure(Run& run, const Report& report) {
  run.ended.outcome = "spawn-failed";
  run.ended.failed = report;
  tell(run, report);
}

int keep(int argc, char** argv) {
  Run run;
  if (argc != 3 && argc != 4) return 2;
  std::string_view plan_fd(argv[1]);
  std::string_view status_fd(argv[2]);
  const int plan = static_cast<int>(take_number(plan_fd));
  run.status = static_cast<int>(take_number(status_fd));
  if (argc == 4) {
    std::string_view go_fd(argv[3]);
    run.go = static_cast<int>(take_number(go_fd));
    sys(SYS_fcntl, run.go, F_SETFD, FD_CLOEXEC);
  }
  if (!run.plan.map(plan)) return 2;
  sys(SYS_close, plan);
  sys(SYS_fcntl, run.status, F_SETFD, FD_CLOEXEC);
  become_keeper(run);
  run.file = claim_run(run.plan, run.self);
  if (run.file < 0) {
    tell(run, failure(Stage::claim, run.file));
    return run.file == -EEXIST ? 3 : 1;
  }
  return run_job(run);
}

}  // namespace lull::keeper
