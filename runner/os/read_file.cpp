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
  // A seq_file (fs/seq_file.c) hands out as many whole records as fit into a page: one that leaves
  // more of it than any record is long has no more.
  constexpr std::size_t kPage = 4096;
  constexpr std::size_t kLongestRecord = kPage / 2;
  std::size_t length = 0;
  for (;;) {
    if (buffer.size() - length < kPage) buffer.resize(2 * length + kPage);
    const ssize_t size = ::pread(file.get(), buffer.data() + length, buffer.size() - length,
                                 static_cast<off_t>(length));
    if (size > 0) length += static_cast<std::size_t>(size);
    if (size < static_cast<ssize_t>(kPage - kLongestRecord)) return {buffer.data(), length};
  }
}

}  // namespace lull::os
