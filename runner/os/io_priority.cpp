#include "runner/os/io_priority.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/keeper_plan.hpp"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace lull::os {
namespace {

int which_of(Whose whose) {
  switch (whose) {
    case Whose::process:
      return IOPRIO_WHO_PROCESS;
    case Whose::group:
      return IOPRIO_WHO_PGRP;
    case Whose::user:
      return IOPRIO_WHO_USER;
  }
  return IOPRIO_WHO_PROCESS;
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
