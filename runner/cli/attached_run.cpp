#include "runner/cli/attached_run.hpp"

#include "runner/os/pidfd.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace lull::cli {
namespace {

constexpr std::array kTaken{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

sigset_t taken_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kTaken)
    sigaddset(&set, signal);
  return set;
}

/// False at end of file or when the other side is gone.
bool copy_some(int from, int to) {
  std::array<char, 16384> buffer{};
  const ssize_t size = ::read(from, buffer.data(), buffer.size());
  if (size <= 0) return false;
  std::string_view rest(buffer.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const ssize_t written = ::write(to, rest.data(), rest.size());
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void block_signals() {
  const sigset_t set = taken_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

AttachedRun::AttachedRun(os::KeeperProcess keeper, std::optional<os::Pty> pty, OnReports on_reports)
    : keeper_(std::move(keeper)),
      pty_(std::move(pty)),
      on_reports_(std::move(on_reports)),
      raw_(STDIN_FILENO) {
  const sigset_t set = taken_signals();
  signals_ = os::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (pty_) {
    pty_->slave.reset();  // the job's copy alone keeps its terminal open
    listening_ = raw_.enter();
  }
}

void AttachedRun::follow() {
  while (!os::has_ended(keeper_.pidfd.get()))
    wait_for_event();
  if (pty_) {  // what is still on its way
    pollfd output{pty_->master.get(), POLLIN, 0};
    while (::poll(&output, 1, 0) == 1 && (output.revents & POLLIN) != 0)
      take_output();
  }
  if (keeper_.reports) take_reports();
  raw_.restore();
}

void AttachedRun::wait_for_event() {
  std::array<pollfd, 5> fds{{{signals_.get(), POLLIN, 0},
                             {keeper_.pidfd.get(), POLLIN, 0},
                             {keeper_.reports.get(), POLLIN, 0},
                             {pty_ ? pty_->master.get() : -1, POLLIN, 0},
                             {listening_ ? STDIN_FILENO : -1, POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), -1) < 0) return;
  if (fds[0].revents != 0) take_signals();
  if (fds[2].revents != 0) take_reports();
  if (fds[3].revents != 0) take_output();
  if (fds[4].revents != 0) take_key_strokes();
}

void AttachedRun::take_reports() {
  const auto news = os::read_reports(keeper_.reports.get());
  if (!news) {
    keeper_.reports.reset();
    return;
  }
  reports_.insert(reports_.end(), news->begin(), news->end());
  on_reports_(reports_);
}

void AttachedRun::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGWINCH:
        if (pty_) os::copy_window_size(STDIN_FILENO, pty_->master.get());
        break;
      case SIGTSTP:
        suspend();
        break;
      case SIGCONT:
        if (pty_) listening_ = raw_.enter();
        tell_keeper(SIGCONT);
        break;
      default:
        tell_keeper(static_cast<int>(info.ssi_signo));
        break;
    }
  }
}

/// The job first, then ourselves, so that the shell which sees us stop finds the terminal as it
/// was.
void AttachedRun::suspend() {
  tell_keeper(SIGTSTP);
  raw_.restore();
  ::raise(SIGSTOP);
  if (pty_) {
    listening_ = raw_.enter();
    os::copy_window_size(STDIN_FILENO, pty_->master.get());
  }
  tell_keeper(SIGCONT);
}

/// The job's terminal cannot stop it on Ctrl-Z: its process group has no parent in its session
/// (orphaned, setpgid(2)), so the kernel would drop SIGTSTP. We see the key first.
void AttachedRun::take_key_strokes() {
  std::array<char, 4096> keys{};
  const ssize_t size = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (size <= 0) {
    listening_ = false;
    return;
  }
  std::string_view typed(keys.data(), static_cast<std::size_t>(size));
  while (!typed.empty()) {
    const int terminal = pty_->master.get();
    const auto suspend_key = std::find_if(typed.begin(), typed.end(), [terminal](char key) {
      return os::is_suspend_key(terminal, key);
    });
    const auto before = static_cast<std::size_t>(suspend_key - typed.begin());
    (void)!::write(terminal, typed.data(), before);
    if (suspend_key == typed.end()) return;
    suspend();
    typed.remove_prefix(before + 1);
  }
}

void AttachedRun::take_output() {
  // EIO: nobody has the job's terminal open any more.
  if (!copy_some(pty_->master.get(), STDOUT_FILENO)) {
    raw_.restore();
    pty_.reset();
    listening_ = false;
  }
}

void AttachedRun::tell_keeper(int signal) const { os::send_signal(keeper_.pidfd.get(), signal); }

}  // namespace lull::cli
