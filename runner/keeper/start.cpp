// The steps before the job: becoming its keeper, its output, its cgroups, the child that becomes
// it.
#include "runner/keeper/life.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lull::keeper {

namespace {

/// The kernel takes one unprivileged autogroup write in 100 ms on the whole machine. Keepers that
/// all try again must not do so at the same moment for ever, so each adds its own few milliseconds.
constexpr std::int64_t kAutogroupAgainMs = 105;
constexpr std::int64_t kAutogroupSpreadMs = 64;

constexpr std::uint64_t bit(int signal) { return 1ULL << static_cast<unsigned>(signal - 1); }
constexpr std::uint64_t kListened =
    bit(SIGCHLD) | bit(SIGTERM) | bit(SIGINT) | bit(SIGHUP) | bit(SIGQUIT) | bit(SIGTSTP) |
    bit(SIGCONT) | bit(kDriverSignal) | bit(kInterruptedSignal) | bit(kSupervisorSignal);

/// Whatever a library of the supervisor's opened without O_CLOEXEC ends here: a listening socket
/// that we kept would look like a supervisor that does not answer. `lull run` passes its caller's
/// descriptors on to the command and is left alone.
void close_strangers(const Run& run) {
  if (!run.plan.has(kLogOutput)) return;
  const int go = run.go < 0 ? run.status : run.go;
  const int low = go < run.status ? go : run.status;
  const int high = go < run.status ? run.status : go;
  if (low > 3) sys(SYS_close_range, 3, low - 1, 0);
  if (high > low + 1) sys(SYS_close_range, low + 1, high - 1, 0);
  sys(SYS_close_range, high + 1, ~0U, 0);
}

/// Descriptors 0 to 2 must exist, or a pipe of ours would be taken for the job's stdio.
void fill_stdio() {
  while (true) {
    const long fd = sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
    if (fd < 0) return;
    if (fd > 2) {
      sys(SYS_close, fd);
      return;
    }
  }
}

long open_output(Run& run, ChildSetup& setup) {
  if (!run.plan.has(kLogOutput)) return 0;
  run.log.set(run.plan.text(run.plan->log), run.plan->log_size);
  int ends[2] = {-1, -1};
  const long piped = sys(SYS_pipe2, ends, O_CLOEXEC);
  if (piped < 0) return piped;
  run.output = ends[0];
  sys(SYS_fcntl, run.output, F_SETFL, O_NONBLOCK);
  setup.output = ends[1];
  setup.null = static_cast<int>(sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC));
  return setup.null;
}

/// clone3 without CLONE_VM: the child changes credentials, which must not touch our memory's
/// dumpable flag, and has a stack of its own.
long clone_child(Run& run) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  if (run.cgroups.unified >= 0) {
    args.flags = CLONE_INTO_CGROUP;
    args.cgroup = static_cast<__u64>(run.cgroups.folders[run.cgroups.unified]);
    const long pid = sys(SYS_clone3, &args, sizeof args);
    if (pid >= 0) return pid;
    run.cgroups.tasks[run.cgroups.unified] = static_cast<int>(pid);  // the child will say so
    run.cgroups.unified = -1;
    args.flags = 0;
    args.cgroup = 0;
  }
  return sys(SYS_clone3, &args, sizeof args);
}

/// Passes the child's reports on until exec closes the pipe. True when the job runs.
bool follow_child(Run& run, int reports) {
  bool failed = false;
  for (;;) {
    Report report;
    const long n = sys(SYS_read, reports, &report, sizeof report);
    if (n == -EINTR) continue;
    if (n != sizeof report) break;
    report.pid = run.job;
    if (report.kind == Report::Kind::applied && run.plan->scope_mount.length > 0) {
      run.cgroups = open_scope(run.plan, run.self, run.job);
      report.cgroups = run.cgroups.count;
    }
    if (report.kind == Report::Kind::spawn_failed) {
      note_failure(run, report);
      failed = true;
    } else {
      if (report.stage == Stage::autogroup && report.error == EAGAIN) try_autogroup_later(run);
      tell(run, report);
    }
  }
  sys(SYS_close, reports);
  return !failed;
}

}  // namespace

void become_keeper(Run& run) {
  close_strangers(run);
  fill_stdio();
  run.self = static_cast<pid_t>(sys(SYS_getpid));
  sys(SYS_prctl, PR_SET_NAME, "lull-keeper", 0, 0, 0);
  sys(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  sys(SYS_setsid);  // already a leader when the supervisor made us one
  const std::uint64_t all = ~0ULL;
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, kKernelSigsetSize);
  run.signals = static_cast<int>(
      sys(SYS_signalfd4, -1, &kListened, kKernelSigsetSize, SFD_CLOEXEC | SFD_NONBLOCK));
  run.supervisor = static_cast<int>(sys(SYS_pidfd_open, run.plan->supervisor, 0));
  sys(SYS_chdir, "/");
}

void try_autogroup_later(Run& run) {
  run.autogroup_at = monotonic_ms() + kAutogroupAgainMs + run.self % kAutogroupSpreadMs;
}

bool start_job(Run& run) {
  ChildSetup setup{.plan = &run.plan, .cgroups = &run.cgroups, .keeper = run.self};
  const long output = open_output(run, setup);
  if (output < 0) return note_failure(run, failure(Stage::log, output)), false;
  int reports[2] = {-1, -1};
  sys(SYS_pipe2, reports, O_CLOEXEC);
  setup.report = reports[1];
  setup.go = run.go;
  run.cgroups = make_cgroups(run.plan, run.self);
  run.ended.started_us = now_us();
  const long pid = clone_child(run);
  if (pid == 0) exec_child(setup);
  sys(SYS_close, setup.report);
  if (setup.go >= 0) sys(SYS_close, setup.go);
  if (setup.output >= 0) sys(SYS_close, setup.output);
  if (pid < 0) return note_failure(run, failure(Stage::fork, pid)), false;
  run.job = static_cast<pid_t>(pid);
  if (!follow_child(run, reports[0])) return false;
  Report running;
  running.pid = run.job;
  tell(run, running);
  return true;
}

void drop_stdio(const Run& run) {
  if (run.plan.has(kLogOutput)) return;
  const long null = sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2; ++fd)
    sys(SYS_dup3, null, fd, 0);
  const int ours[] = {run.file,       run.status, run.signals,
                      run.supervisor, run.driver, run.cgroups.memory_events};
  for (int fd = 3; fd < 1024; ++fd) {
    bool keep = false;
    for (const int own : ours)
      keep = keep || own == fd;
    for (std::uint32_t i = 0; i < run.cgroups.count; ++i)
      keep = keep || run.cgroups.folders[i] == fd;
    if (!keep) sys(SYS_close, fd);
  }
}

}  // namespace lull::keeper
