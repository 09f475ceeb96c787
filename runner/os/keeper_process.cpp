#include "runner/os/keeper_process.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/pidfd.hpp"
#include "runner/os/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>

namespace lull::os {
namespace {

/// Ours start above what a shell or a test may have handed on to the job of `lull run`.
constexpr int kFirstFd = 10;

Result<Fd> plan_file(std::span<const std::byte> plan) {
  const Fd low(::memfd_create("lull-plan", MFD_CLOEXEC));
  if (!low) return errno_error("make the keeper's plan");
  Fd file(::fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstFd));
  if (!file) return errno_error("make the keeper's plan");
  if (::write(file.get(), plan.data(), plan.size()) != static_cast<ssize_t>(plan.size())) {
    return errno_error("write the keeper's plan");
  }
  return file;
}

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("make the keeper's pipe");
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  pipe.read = Fd(::fcntl(pipe.read.get(), F_DUPFD_CLOEXEC, kFirstFd));
  pipe.write = Fd(::fcntl(pipe.write.get(), F_DUPFD_CLOEXEC, kFirstFd));
  if (!pipe.read || !pipe.write) return errno_error("make the keeper's pipe");
  return pipe;
}

/// posix_spawn's two attribute objects with their lifetimes. Failures of their functions are
/// ENOMEM alone.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &all);     // until the keeper listens
    posix_spawnattr_setsigdefault(&attributes, &all);  // SIGPIPE is ignored in lull
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  /// A dup2 of a descriptor to itself clears its CLOEXEC (POSIX.1-2024, glibc 2.29).
  void keep(int fd) { posix_spawn_file_actions_adddup2(&actions, fd, fd); }
  void move(int fd, int to) { posix_spawn_file_actions_adddup2(&actions, fd, to); }

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

}  // namespace

KeeperProgram::KeeperProgram(Fd program)
    : program_(std::move(program)), path_("/proc/self/fd/" + std::to_string(program_.get())) {}

Result<KeeperProgram> KeeperProgram::find(const std::string& own_program) {
  const std::string folder = own_program.substr(0, own_program.rfind('/'));
  for (const std::string& path :
       {folder + "/lull-keeper", folder + "/../libexec/lull/lull-keeper"}) {
    const Fd low(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (low) return KeeperProgram(Fd(::fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstFd)));
    if (errno != ENOENT) return errno_error("open " + path);
  }
  return Error("lull-keeper is neither in " + folder + " nor in " + folder +
               "/../libexec/lull: install lull again");
}

Result<KeeperProcess> KeeperProgram::start(std::span<const std::byte> plan,
                                           std::array<int, 3> stdio, bool waits) const {
  const auto file = plan_file(plan);
  if (!file) return file.error();
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  if (::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("set the pipe");
  auto go = waits ? make_pipe() : Result<Pipe>(Pipe{});
  if (!go) return go.error();

  SpawnSettings settings;
  settings.keep(file->get());
  settings.keep(pipe->write.get());
  if (waits) settings.keep(go->read.get());
  for (int fd = 0; fd < 3; ++fd) {
    if (stdio[static_cast<std::size_t>(fd)] >= 0) {
      settings.move(stdio[static_cast<std::size_t>(fd)], fd);
    }
  }
  std::string name = "lull-keeper";
  std::string plan_fd = std::to_string(file->get());
  std::string status_fd = std::to_string(pipe->write.get());
  std::string go_fd = std::to_string(go->read.get());
  std::array<char*, 5> argv{name.data(), plan_fd.data(), status_fd.data(),
                            waits ? go_fd.data() : nullptr, nullptr};
  std::array<char*, 1> environment{nullptr};  // the keeper itself needs none
  KeeperProcess keeper;
  const int failed = ::posix_spawn(&keeper.pid, path_.c_str(), &settings.actions,
                                   &settings.attributes, argv.data(), environment.data());
  if (failed != 0) {
    errno = failed;
    return errno_error("start lull-keeper");
  }
  // Not reaped by anyone but us, so the pid is surely still this keeper.
  keeper.pidfd = open_pidfd(keeper.pid);
  if (!keeper.pidfd) return errno_error("watch lull-keeper");
  keeper.reports = std::move(pipe->read);
  keeper.go = std::move(go->write);
  return keeper;
}

void take_up_keeper(const ProcessIdentity& keeper) {
  if (const Fd pidfd = open_process(keeper)) send_signal(pidfd.get(), keeper::kSupervisorSignal);
}

bool has_ended(int pidfd) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) == 0) {
    return info.si_pid != 0;
  }
  // ECHILD: an adopted keeper is not our child, and a pidfd is readable once its process has ended.
  pollfd ready{pidfd, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

std::optional<std::vector<keeper::Report>> read_reports(int fd) {
  std::vector<keeper::Report> reports;
  for (;;) {
    keeper::Report report;
    const ssize_t size = ::read(fd, &report, sizeof report);
    if (size == static_cast<ssize_t>(sizeof report)) {
      reports.push_back(report);
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else if (size < 0 && errno == EAGAIN) {
      return reports;
    } else {
      if (reports.empty()) return std::nullopt;
      return reports;
    }
  }
}

}  // namespace lull::os
