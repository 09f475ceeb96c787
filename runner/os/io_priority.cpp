#include "runner/os/io_priority.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/keeper_plan.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace lull::os {
namespace {

// ioprio_set(2): IOPRIO_WHO_…. From Linux 6.1.192 on <linux/ioprio.h> has a parameter called
// `class` and is no C++ any more.
constexpr int kWhoProcess = 1;
constexpr int kWhoGroup = 2;
constexpr int kWhoUser = 3;

int which_of(Whose whose) {
  switch (whose) {
    case Whose::process:
      return kWhoProcess;
    case Whose::group:
      return kWhoGroup;
    case Whose::user:
      return kWhoUser;
  }
  return kWhoProcess;
}

}  // namespace

Result<IoPriority> get_io_priority(Whose whose, id_t id) {
  const long raw = ::syscall(SYS_ioprio_get, which_of(whose), id);
  if (raw < 0) return errno_error("ask for the I/O priority of " + std::to_string(id));
  return io_priority_of(static_cast<int>(raw));
}

Result<void> set_io_priority(Whose whose, id_t id, IoPriority priority) {
  if (::syscall(SYS_ioprio_set, which_of(whose), id, raw_io_priority(priority)) != 0) {
    return errno_error("set the I/O priority of " + std::to_string(id) + " to " +
                       to_string(priority));
  }
  return {};
}

}  // namespace lull::os
