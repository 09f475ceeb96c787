#include "runner/supervisor/file_watch.hpp"

#include "runner/os/errno_error.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <utility>

namespace lull::supervisor {
namespace {

constexpr std::chrono::milliseconds kSettle{100};
constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM |
                                   IN_DELETE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF |
                                   IN_ONLYDIR;

int make_inotify() {
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "watch the job files");
  return fd;
}

}  // namespace

FileWatch::FileWatch(const boost::asio::any_io_executor& loop, std::function<void()> on_change)
    : inotify_(loop, make_inotify()), settle_(loop), on_change_(std::move(on_change)) {
  wait();
}

Result<void> FileWatch::add(const std::string& folder) {
  if (::inotify_add_watch(inotify_.native_handle(), folder.c_str(), kChanges) < 0) {
    return os::errno_error("watch " + folder);
  }
  return {};
}

void FileWatch::cancel() {
  inotify_.cancel();
  settle_.cancel();
}

void FileWatch::wait() {
  inotify_.async_wait(
      boost::asio::posix::descriptor_base::wait_read,
      [this, there = std::weak_ptr<const bool>(there_)](const boost::system::error_code& error) {
        if (error || there.expired()) return;
        // Which file it was does not matter: each is compared with what we have.
        std::array<char, 4096> events{};
        while (::read(inotify_.native_handle(), events.data(), events.size()) > 0) {
        }
        tell_later();
        wait();
      });
}

/// Not later and later: somebody may write there without end.
void FileWatch::tell_later() {
  if (std::exchange(is_telling_, true)) return;
  settle_.expires_after(kSettle);
  settle_.async_wait([this, there = std::weak_ptr<const bool>(there_)](
                         const boost::system::error_code& cancelled) {
    if (cancelled || there.expired()) return;
    is_telling_ = false;
    on_change_();
  });
}

}  // namespace lull::supervisor
