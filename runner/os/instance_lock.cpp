#include "runner/os/instance_lock.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <thread>

namespace lull::os {
namespace {

constexpr std::chrono::milliseconds kTryAgain{20};

Error held_by_other(const std::string& path) {
  const auto holder = read_file(path);
  std::string text = path + " is locked: another supervisor runs on this state folder";
  if (holder && !holder->empty()) text += " (pid " + holder->substr(0, holder->find('\n')) + ")";
  return Error(EWOULDBLOCK, text);
}

}  // namespace

Result<Fd> take_instance_lock(const std::string& path, std::chrono::milliseconds patience) {
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return errno_error("open " + path);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("lock " + path);
    if (std::chrono::steady_clock::now() >= give_up) return held_by_other(path);
    std::this_thread::sleep_for(kTryAgain);  // at start only: no loop is running yet
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 ||
      ::pwrite(file.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return errno_error("write " + path);
  }
  return file;
}

}  // namespace lull::os
