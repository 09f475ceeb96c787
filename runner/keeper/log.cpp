#include "runner/keeper/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lull::keeper {
namespace {

constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

/// Copies `from` its offset on to the end of `to`; false when the disk refused.
bool copy_rest(long from, long to, std::uint64_t offset) {
  if (sys(SYS_lseek, from, offset, SEEK_SET) < 0) return false;
  char buffer[16384];
  for (;;) {
    const long n = sys(SYS_read, from, buffer, sizeof buffer);
    if (n <= 0) return n == 0;
    if (sys(SYS_write, to, buffer, n) != n) return false;
  }
}

/// The folder of the job's logs, which the first of its runs that says something makes.
void make_parent(const char* path) {
  Line<4096> folder;
  folder << std::string_view(path).substr(0, std::string_view(path).rfind('/'));
  sys(SYS_mkdirat, AT_FDCWD, folder.c_str(), 0700);
}

}  // namespace

void Log::set(const char* path, std::uint64_t limit) {
  path_ = path;
  limit_ = limit;
  old_ << path << ".old";
}

void Log::start_file() {
  size_ = 0;
  fd_ = static_cast<int>(sys(SYS_openat, AT_FDCWD, path_, kCreate, 0600));
  if (fd_ != -ENOENT) return;
  make_parent(path_);
  fd_ = static_cast<int>(sys(SYS_openat, AT_FDCWD, path_, kCreate, 0600));
}

/// When the current file is full, it becomes the old one: the newest `limit_` bytes are always in
/// the two together.
void Log::append(std::span<const char> text) {
  while (!text.empty()) {
    if (size_ >= limit_ && limit_ > 0) {
      sys(SYS_close, fd_);
      // Removed first: ext4 takes a rename over a file for an atomic replacement and writes the new
      // one's data out at once (auto_da_alloc), where we want a file that never sees the disk.
      sys(SYS_unlinkat, AT_FDCWD, old_.c_str(), 0);
      rotated_ = sys(SYS_renameat2, AT_FDCWD, path_, AT_FDCWD, old_.c_str(), 0) >= 0 || rotated_;
      fd_ = -1;
    }
    if (fd_ < 0) start_file();
    const std::uint64_t room = limit_ - size_;
    const std::span<const char> part = text.size() > room ? text.first(room) : text;
    if (part.empty()) {  // a limit of nothing
      dropped_ += text.size();
      return;
    }
    write_out(part);
    size_ += part.size();
    text = text.subspan(part.size());
  }
}

void Log::write_out(std::span<const char> text) {
  while (!text.empty()) {
    const long n = fd_ < 0 ? -EBADF : sys(SYS_write, fd_, text.data(), text.size());
    if (n == -EINTR) continue;
    if (n <= 0) break;
    text = text.subspan(static_cast<std::size_t>(n));
  }
  dropped_ += text.size();
}

void Log::finish() {
  if (fd_ >= 0) sys(SYS_close, fd_);
  if (!rotated_) return;
  Line<4096> joined;
  joined << path_ << ".new";
  const long old = sys(SYS_openat, AT_FDCWD, old_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const long now = sys(SYS_openat, AT_FDCWD, path_, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const long to = sys(SYS_openat, AT_FDCWD, joined.c_str(), kCreate, 0600);
  if (copy_rest(old, to, size_) && copy_rest(now, to, 0)) {
    sys(SYS_renameat2, AT_FDCWD, joined.c_str(), AT_FDCWD, path_, 0);
    sys(SYS_unlinkat, AT_FDCWD, old_.c_str(), 0);
  } else {  // a full disk: the two files stay, readers know how to read them
    sys(SYS_unlinkat, AT_FDCWD, joined.c_str(), 0);
  }
  for (const long fd : {old, now, to})
    sys(SYS_close, fd);
}

}  // namespace lull::keeper
