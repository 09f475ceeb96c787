#include "runner/cli/attached_run.hpp"

#include "runner/os/pidfd.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
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

}  // namespace

void block_signals() {
  const sigset_t set = taken_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

AttachedRun::AttachedRun(boost::asio::io_context& loop, os::KeeperProcess keeper,
                         std::optional<os::Pty> pty, AttachedEvents& events)
    : loop_(loop),
      keeper_(std::move(keeper)),
      pty_(std::move(pty)),
      events_(events),
      raw_(STDIN_FILENO),
      signals_(loop),
      end_(loop, keeper_.pidfd.get()),
      reports_(loop, keeper_.reports.get()),
      output_(loop),
      room_(loop),
      keys_(loop) {
  const sigset_t set = taken_signals();
  signals_fd_ = os::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  signals_.assign(signals_fd_.get());
  watch(signals_, &AttachedRun::take_signals);
  watch(end_, &AttachedRun::take_end);
  watch(reports_, &AttachedRun::take_reports);
  if (pty_) {
    pty_->slave.reset();  // the job's copy alone keeps its terminal open
    terminal_ = os::open_terminal_for_output();
    output_.assign(pty_->master.get());
    watch(output_, &AttachedRun::take_output);
    listen_to_keys(raw_.enter());
  }
}

AttachedRun::~AttachedRun() {
  for (Descriptor* watched : {&signals_, &end_, &reports_, &output_, &room_, &keys_}) {
    if (watched->is_open()) watched->release();
  }
}

void AttachedRun::watch(Descriptor& descriptor, void (AttachedRun::*take)()) {
  descriptor.async_wait(Descriptor::wait_read,
                        [this, &descriptor, take](const boost::system::error_code& error) {
                          if (error || !descriptor.is_open()) return;
                          (this->*take)();
                          if (descriptor.is_open()) watch(descriptor, take);
                        });
}

void AttachedRun::listen_to_keys(bool on) {
  if (on == keys_.is_open()) return;
  if (on) {
    keys_.assign(STDIN_FILENO);
    watch(keys_, &AttachedRun::take_key_strokes);
  } else {
    keys_.release();
  }
}

void AttachedRun::follow() {
  loop_.run();
  end_.release();
  if (keeper_.reports) take_reports();
  events_.ended();
  show_rest();
  raw_.restore();
}

/// What is still on its way. Whoever stopped the output with Ctrl-S gets the rest of it when they
/// go on, and nothing more when they would rather have us end.
void AttachedRun::show_rest() {
  if (!pty_) return;
  if (room_.is_open()) room_.release();
  pollfd output{pty_->master.get(), POLLIN, 0};
  std::array<pollfd, 2> news{{{terminal_.get(), POLLOUT, 0}, {signals_fd_.get(), POLLIN, 0}}};
  while (pty_ && (!unshown_.empty() || (::poll(&output, 1, 0) == 1 && (output.revents & POLLIN)))) {
    ::poll(news.data(), news.size(), -1);
    if (news[0].revents == 0) break;
    if (unshown_.empty())
      take_output();
    else
      put_output();
  }
}

void AttachedRun::take_end() {
  if (os::has_ended(keeper_.pidfd.get())) loop_.stop();
}

void AttachedRun::take_reports() {
  const auto news = os::read_reports(keeper_.reports.get());
  if (!news) {
    if (reports_.is_open()) reports_.release();
    keeper_.reports.reset();
    return;
  }
  if (news->empty()) return;
  all_reports_.insert(all_reports_.end(), news->begin(), news->end());
  events_.reported(all_reports_);
}

void AttachedRun::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (info.ssi_signo) {
      case SIGWINCH:
        if (pty_) os::copy_window_size(STDIN_FILENO, pty_->master.get());
        break;
      case SIGTSTP:
        suspend();
        break;
      case SIGCONT:
        if (pty_) listen_to_keys(raw_.enter());
        tell_keeper(SIGCONT);
        break;
      default:
        events_.addressed();
        tell_keeper(static_cast<int>(info.ssi_signo));
        break;
    }
  }
}

/// The job first, then ourselves, so that the shell which sees us stop finds the terminal as it
/// was.
void AttachedRun::suspend() {
  events_.suspending();
  tell_keeper(SIGTSTP);
  raw_.restore();
  ::raise(SIGSTOP);
  if (pty_) {
    listen_to_keys(raw_.enter());
    os::copy_window_size(STDIN_FILENO, pty_->master.get());
  }
  tell_keeper(SIGCONT);
  events_.continuing();
}

/// The job's terminal cannot stop it on Ctrl-Z: its process group has no parent in its session
/// (orphaned, setpgid(2)), so the kernel would drop SIGTSTP. We see the key first.
void AttachedRun::take_key_strokes() {
  std::array<char, 4096> keys{};
  const ssize_t size = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (size <= 0) return listen_to_keys(false);
  events_.addressed();
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
  std::array<char, 16384> buffer{};
  const ssize_t size = ::read(pty_->master.get(), buffer.data(), buffer.size());
  if (size <= 0) return end_output();  // EIO: nobody has the job's terminal open any more
  unshown_.assign(buffer.data(), static_cast<std::size_t>(size));
  put_output();
}

/// What our terminal does not take now (Ctrl-S, a connection that hangs) waits for it, and so does
/// the job; our loop does not, since the jobs of others may depend on it.
void AttachedRun::put_output() {
  const ssize_t written = ::write(terminal_.get(), unshown_.data(), unshown_.size());
  const bool would_block = written < 0 && (errno == EAGAIN || errno == EINTR);
  if (written <= 0 && !would_block) return end_output();
  if (written > 0) unshown_.erase(0, static_cast<std::size_t>(written));
  if (unshown_.empty() || room_.is_open()) return;
  if (output_.is_open()) output_.release();
  room_.assign(terminal_.get());
  room_.async_wait(Descriptor::wait_write, [this](const boost::system::error_code& error) {
    if (error || !room_.is_open()) return;
    room_.release();
    put_output();
    if (room_.is_open() || !pty_) return;
    output_.assign(pty_->master.get());
    watch(output_, &AttachedRun::take_output);
  });
}

void AttachedRun::end_output() {
  raw_.restore();
  listen_to_keys(false);
  if (output_.is_open()) output_.release();
  unshown_.clear();
  pty_.reset();
}

void AttachedRun::tell_keeper(int signal) const { os::send_signal(keeper_.pidfd.get(), signal); }

}  // namespace lull::cli
