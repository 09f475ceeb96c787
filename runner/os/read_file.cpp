#include "runner/os/read_file.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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
  std::size_t length = 0;
  for (;;) {
    if (length == buffer.size()) buffer.resize(std::max<std::size_t>(2 * length, 1024));
    const ssize_t size = ::pread(file.get(), buffer.data() + length, buffer.size() - length,
                                 static_cast<off_t>(length));
    if (size <= 0) return {buffer.data(), length};
    length += static_cast<std::size_t>(size);
  }
}

}  // namespace lull::os
