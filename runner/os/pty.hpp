#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"

#include <termios.h>

#include <optional>

namespace lull::os {

/// A pseudo-terminal: what is written to `master` the job reads from `slave`, and the other way.
struct Pty {
  Fd master;
  Fd slave;
};

/// A new one with the modes and the window size of `terminal`.
Result<Pty> open_pty(int terminal);

/// The terminal that stdout is, else stderr, else stdin: opened anew, so that writing does not
/// block while whoever shares ours is left alone.
Fd open_terminal_for_output();

/// Gives `master`'s terminal the window size that `terminal` has now.
void copy_window_size(int terminal, int master);

/// While raw, every key of `terminal` comes through as it is. Restores what was there, also when
/// destroyed. Leaves a terminal alone whose foreground process group is not ours (tty_ioctl(4)).
class RawTerminal {
 public:
  explicit RawTerminal(int terminal) : terminal_(terminal) {}
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { restore(); }

  /// Whether keys come to us now.
  bool enter();
  void restore();

 private:
  int terminal_;
  std::optional<termios> saved_;
};

/// Whether `key` asks the job on `master`'s terminal to stop: its VSUSP character, while the job
/// leaves signals to the terminal and its own process group has the foreground. In a shell that
/// runs there, the commands' groups are the shell's to stop, and the terminal can.
bool is_suspend_key(int master, char key);

}  // namespace lull::os
