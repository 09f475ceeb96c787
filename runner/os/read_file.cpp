#include "runner/os/read_file.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace lull::os {

Result<std::string> read_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open " + path);
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno_error("read " + path);
    if (size == 0) return success(std::move(text));
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

std::string_view reread(const Fd& file, std::vector<char>& buffer) {
  if (!file) return {};
  const ssize_t size = ::pread(file.get(), buffer.data(), buffer.size(), 0);
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace lull::os
