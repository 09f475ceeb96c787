#include "runner/keeper/sys.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

namespace lull::keeper {

std::string_view read_small(const char* path, std::span<char> buffer) {
  const long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::size_t size = 0;
  while (size < buffer.size()) {
    const long n = sys(SYS_read, fd, buffer.data() + size, buffer.size() - size);
    if (n <= 0) break;
    size += static_cast<std::size_t>(n);
  }
  sys(SYS_close, fd);
  return {buffer.data(), size};
}

std::int64_t take_number(std::string_view& text) {
  std::int64_t number = -1;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    number = (number < 0 ? 0 : number * 10) + (text.front() - '0');
    text.remove_prefix(1);
  }
  return number;
}

std::int64_t now_us() {
  timespec now{};
  sys(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

std::int64_t monotonic_ms() {
  timespec now{};
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace lull::keeper
