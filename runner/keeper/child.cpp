// Between clone and exec: plain system calls on data prepared before, in the order that the
// specification fixes. Everything that the job inherits is set here, so its first instruction
// already runs at its priority.
#include "runner/keeper/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lull::keeper {
namespace {

constexpr int kIoPriorityWhoProcess = 1;  // IOPRIO_WHO_PROCESS
constexpr std::size_t kKernelSigsetSize = 8;

/// struct sigaction as the kernel has it; all zero is SIG_DFL.
struct KernelSigaction {
  void* handler = nullptr;
  unsigned long flags = 0;
  void* restorer = nullptr;
  std::uint64_t mask = 0;
};

void send(const ChildSetup& setup, const Report& report) {
  sys(SYS_write, setup.report, &report, sizeof report);
}

void send_failed(const ChildSetup& setup, Report::Kind kind, Stage stage, long error) {
  Report report;
  report.kind = kind;
  report.stage = stage;
  report.error = static_cast<std::int32_t>(-error);
  send(setup, report);
}

/// A knob that fails leaves the job less favoured than asked, or cannot fail: the job goes on and
/// the run says so.
void knob(const ChildSetup& setup, Stage stage, long result) {
  if (result < 0) send_failed(setup, Report::Kind::knob_failed, stage, result);
}

/// Anything else must hold, or there is no job.
void must(const ChildSetup& setup, Stage stage, long result) {
  if (result >= 0) return;
  send_failed(setup, Report::Kind::spawn_failed, stage, result);
  sys(SYS_exit_group, 127);
}

void enter_session(const ChildSetup& setup) {
  must(setup, Stage::session, sys(SYS_setsid));
  if (setup.plan->has(kTakeTerminal)) {
    must(setup, Stage::session, sys(SYS_ioctl, 0, TIOCSCTTY, 0));
  }
}

/// Whoever started us asks the service manager for a scope, and closes its end of the pipe when we
/// are in it. Or when it dies: the job goes on without one then, as it does when nobody answers.
void wait_for_scope(const ChildSetup& setup) {
  if (setup.go < 0) return;
  Report placing;
  placing.kind = Report::Kind::placing;
  send(setup, placing);
  pollfd go{setup.go, POLLIN, 0};
  const timespec patience{30, 0};
  sys(SYS_ppoll, &go, 1, &patience, nullptr, kKernelSigsetSize);
}

/// The v2 group was entered by clone3. Returns the mask of the groups that we are in.
std::uint32_t enter_cgroups(const ChildSetup& setup) {
  const RunCgroups& groups = *setup.cgroups;
  std::uint32_t joined = 0;
  for (std::uint32_t i = 0; i < groups.count; ++i) {
    long result = groups.folders[i];
    if (result >= 0 && static_cast<int>(i) != groups.unified) {
      result = groups.tasks[i] < 0 ? groups.tasks[i] : sys(SYS_write, groups.tasks[i], "0", 1);
    }
    knob(setup, Stage::cgroup, result);
    if (result >= 0) joined |= 1U << i;
  }
  return joined;
}

/// CONFIG_SCHED_AUTOGROUP may be missing: no file, no failure. An EAGAIN (somebody on this machine
/// wrote one within the last 100 ms, proc_sched_autogroup_set_nice in the kernel) is reported, and
/// the keeper tries again.
void set_autogroup(const ChildSetup& setup) {
  const long set = write_autogroup("/proc/self", (*setup.plan)->autogroup_nice);
  if (set != -ENOENT) knob(setup, Stage::autogroup, set);
}

void set_priority(const ChildSetup& setup) {
  const PlanView& plan = *setup.plan;
  set_autogroup(setup);
  knob(setup, Stage::nice, sys(SYS_setpriority, PRIO_PROCESS, 0, plan->nice));
  knob(setup, Stage::io_priority, sys(SYS_ioprio_set, kIoPriorityWhoProcess, 0, plan->io_priority));
}

void set_limits(const ChildSetup& setup) {
  const rlimit files{(*setup.plan)->files_soft, (*setup.plan)->files_hard};
  must(setup, Stage::limits, sys(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, nullptr));
}

void become_user(const ChildSetup& setup) {
  const PlanView& plan = *setup.plan;
  if (!plan.has(kChangeUser)) return;
  must(setup, Stage::user, sys(SYS_setgroups, plan->groups.count, plan.groups()));
  must(setup, Stage::user, sys(SYS_setresgid, plan->gid, plan->gid, plan->gid));
  must(setup, Stage::user, sys(SYS_setresuid, plan->uid, plan->uid, plan->uid));
}

/// After setresuid, which clears it (prctl(2)). A keeper that died just before is noticed too.
void die_with_keeper(const ChildSetup& setup) {
  must(setup, Stage::parent_death, sys(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (sys(SYS_getppid) != setup.keeper) sys(SYS_exit_group, 127);
}

/// A home that is not there (a system account's, an unmounted one) is no reason not to run a job
/// that did not ask for it; cron thinks the same.
void enter_directory(const ChildSetup& setup) {
  const PlanView& plan = *setup.plan;
  long entered = sys(SYS_chdir, plan.text(plan->directory));
  if (entered < 0 && plan.has(kOrRoot)) entered = sys(SYS_chdir, "/");
  must(setup, Stage::directory, entered);
}

void set_fds(const ChildSetup& setup) {
  if (setup.output < 0) return;  // stdio passes through; all that is ours is CLOEXEC
  must(setup, Stage::fds, sys(SYS_dup3, setup.null, 0, 0));
  must(setup, Stage::fds, sys(SYS_dup3, setup.output, 1, 0));
  must(setup, Stage::fds, sys(SYS_dup3, setup.output, 2, 0));
  must(setup, Stage::fds, sys(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
}

/// exec resets handlers, but not what is ignored, nor the mask.
void reset_signals(const ChildSetup& setup) {
  const KernelSigaction dfl;
  for (int signal = 1; signal <= 64; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    sys(SYS_rt_sigaction, signal, &dfl, nullptr, kKernelSigsetSize);
  }
  const std::uint64_t none = 0;
  must(setup, Stage::signals,
       sys(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSigsetSize));
}

void report_applied(const ChildSetup& setup, std::uint32_t cgroups) {
  Report report;
  report.kind = Report::Kind::applied;
  report.nice = static_cast<std::int32_t>(20 - sys(SYS_getpriority, PRIO_PROCESS, 0));
  report.io_priority = static_cast<std::int32_t>(sys(SYS_ioprio_get, kIoPriorityWhoProcess, 0));
  report.autogroup_nice = read_autogroup("/proc/self");
  report.cgroups = cgroups;
  send(setup, report);
}

/// As a shell searches: what is missing is passed over, what is there and may not be executed is
/// remembered. A folder of PATH that we may not look into hides nothing that we could have run.
void exec_first(const ChildSetup& setup) {
  const PlanView& plan = *setup.plan;
  long worst = -ENOENT;
  for (char** program = plan.texts(plan->programs); *program != nullptr; ++program) {
    const long error =
        sys(SYS_execve, *program, plan.texts(plan->argv), plan.texts(plan->environment));
    const bool is_there =
        plan->programs.count == 1 || sys(SYS_faccessat, AT_FDCWD, *program, F_OK) == 0;
    if (error == -EACCES && is_there) worst = error;
    if (error != -ENOENT && error != -ENOTDIR && error != -EACCES) must(setup, Stage::exec, error);
  }
  must(setup, Stage::exec, worst);
}

}  // namespace

void exec_child(const ChildSetup& setup) {
  enter_session(setup);
  wait_for_scope(setup);
  const std::uint32_t cgroups = enter_cgroups(setup);
  set_priority(setup);
  report_applied(setup, cgroups);  // while /proc/self is surely ours to read
  set_limits(setup);
  become_user(setup);
  die_with_keeper(setup);
  enter_directory(setup);
  set_fds(setup);
  reset_signals(setup);
  exec_first(setup);
  sys(SYS_exit_group, 127);
  __builtin_unreachable();
}

}  // namespace lull::keeper
