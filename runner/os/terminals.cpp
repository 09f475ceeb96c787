#include "runner/os/terminals.hpp"

#include "runner/os/fd.hpp"

#include <fcntl.h>
#include <linux/kd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <utmpx.h>

#include <chrono>
#include <cstring>

namespace lull::os {
namespace {

/// A virtual console that an X server or a compositor has (console_ioctl(2), KDGETMODE). Where we
/// may not ask it counts as one that shows text.
bool shows_screen(const std::string& path) {
  const Fd console(::open(path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  int mode = KD_TEXT;
  return console && ::ioctl(console.get(), KDGETMODE, &mode) == 0 && mode == KD_GRAPHICS;
}

/// A field of utmp's, which has no NUL when it is full.
template <std::size_t kSize>
std::string text_of(const char (&field)[kSize]) {
  return {field, ::strnlen(field, kSize)};
}

}  // namespace

std::optional<TimePoint> terminal_input(const std::string& terminal) {
  const std::string path = "/dev/" + terminal;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISCHR(status.st_mode)) return std::nullopt;
  if (terminal.starts_with("tty") && shows_screen(path)) return std::nullopt;
  // The end of the eight seconds, counted from the epoch, in which it was set.
  return TimePoint(std::chrono::seconds((status.st_atim.tv_sec | 7) + 1));
}

std::vector<TerminalLogin> terminal_logins() {
  std::vector<TerminalLogin> logins;
  ::setutxent();
  while (const utmpx* const entry = ::getutxent()) {  // NOLINT(concurrency-mt-unsafe): one thread
    const std::string line = text_of(entry->ut_line);
    // A display manager's entry is named after its display.
    if (entry->ut_type != USER_PROCESS || line.empty() || line.starts_with(':')) continue;
    logins.push_back({line, text_of(entry->ut_user)});
  }
  ::endutxent();
  return logins;
}

}  // namespace lull::os
