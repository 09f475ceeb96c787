// The keeper on top of libc: for sanitizers and for machines without a stub in call_bare.cpp.
#include "runner/keeper/sys.hpp"

#include <unistd.h>

#include <cerrno>

namespace lull::keeper {
// NOLINTNEXTLINE(readability-function-size): a system call has up to six arguments and a number
long syscall_raw(long number, long a, long b, long c, long d, long e, long f) {
  const long result = ::syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}
}  // namespace lull::keeper
