#include "runner/os/pty.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

namespace lull::os {

Result<Pty> open_pty(int terminal) {
  Pty pty;
  pty.master = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.master) return errno_error("open a pseudo-terminal");
  std::array<char, 64> name{};
  if (::grantpt(pty.master.get()) != 0 || ::unlockpt(pty.master.get()) != 0 ||
      ::ptsname_r(pty.master.get(), name.data(), name.size()) != 0) {
    return errno_error("set up a pseudo-terminal");
  }
  pty.slave = Fd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave) return errno_error("open " + std::string(name.data()));
  termios modes{};
  if (::tcgetattr(terminal, &modes) == 0) ::tcsetattr(pty.slave.get(), TCSANOW, &modes);
  copy_window_size(terminal, pty.master.get());
  return pty;
}

Fd open_terminal_for_output() {
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO}) {
    if (::isatty(fd) == 0) continue;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    Fd terminal(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    // After su the terminal may be another user's: then ours is all there is, and it may block.
    return terminal ? std::move(terminal) : Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  }
  return {};
}

void copy_window_size(int terminal, int master) {
  winsize size{};
  if (::ioctl(terminal, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

bool RawTerminal::enter() {
  if (::tcgetpgrp(terminal_) != ::getpgrp()) return false;
  if (saved_) return true;
  termios modes{};
  if (::tcgetattr(terminal_, &modes) != 0) return false;
  saved_ = modes;
  ::cfmakeraw(&modes);
  return ::tcsetattr(terminal_, TCSADRAIN, &modes) == 0;
}

void RawTerminal::restore() {
  if (!saved_) return;
  ::tcsetattr(terminal_, TCSADRAIN, &*saved_);
  saved_.reset();
}

bool is_suspend_key(int master, char key) {
  termios modes{};
  return ::tcgetattr(master, &modes) == 0 && (modes.c_lflag & ISIG) != 0 &&
         modes.c_cc[VSUSP] != _POSIX_VDISABLE &&
         static_cast<unsigned char>(key) == modes.c_cc[VSUSP] &&
         ::tcgetpgrp(master) == ::tcgetsid(master);
}

}  // namespace lull::os
