#include "runner/keeper/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

namespace lull::keeper {
namespace {

Line<64> autogroup_file(const char* process) {
  Line<64> path;
  path << process << "/autogroup";
  return path;
}

}  // namespace

std::int32_t read_autogroup(const char* process) {
  char buffer[128];
  std::string_view text = read_small(autogroup_file(process).c_str(), buffer);
  const std::size_t at = text.rfind(' ');
  if (at == std::string_view::npos) return Report::kNoAutogroup;
  text.remove_prefix(at + 1);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const auto value = static_cast<std::int32_t>(take_number(text));
  return negative ? -value : value;
}

long write_autogroup(const char* process, std::int32_t nice) {
  const Line<64> path = autogroup_file(process);
  const long fd = sys(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  Line<16> value;
  value << static_cast<std::int64_t>(nice);
  const long written = sys(SYS_write, fd, value.c_str(), value.view().size());
  sys(SYS_close, fd);
  return written < 0 ? written : 0;
}

}  // namespace lull::keeper
