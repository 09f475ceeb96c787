#include "runner/os/sched.hpp"

#include "runner/os/errno_error.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <string>

namespace lull::os {
namespace {

// Newer than the C library of Debian 12, see linux/sched.h.
constexpr int kSchedDeadline = 6;
constexpr int kSchedExt = 7;

__priority_which which_of(Whose whose) {
  switch (whose) {
    case Whose::process:
      return PRIO_PROCESS;
    case Whose::group:
      return PRIO_PGRP;
    case Whose::user:
      return PRIO_USER;
  }
  return PRIO_PROCESS;
}

}  // namespace

std::string_view to_string(SchedPolicy policy) {
  switch (policy) {
    case SchedPolicy::deadline:
      return "deadline";
    case SchedPolicy::fifo:
      return "fifo";
    case SchedPolicy::rr:
      return "rr";
    case SchedPolicy::other:
      return "other";
    case SchedPolicy::ext:
      return "ext";
    case SchedPolicy::batch:
      return "batch";
    case SchedPolicy::idle:
      return "idle";
  }
  return "other";
}

Result<int> get_nice(Whose whose, id_t id) {
  errno = 0;  // -1 is a nice value too, so only errno tells
  const int nice = ::getpriority(which_of(whose), id);
  if (nice == -1 && errno != 0)
    return errno_error("ask for the nice value of " + std::to_string(id));
  return nice;
}

Result<SchedPolicy> get_sched_policy(pid_t pid) {
  const int raw = ::sched_getscheduler(pid);
  if (raw < 0) return errno_error("ask for the scheduling policy of " + std::to_string(pid));
  switch (raw & ~SCHED_RESET_ON_FORK) {
    case SCHED_OTHER:
      return SchedPolicy::other;
    case SCHED_FIFO:
      return SchedPolicy::fifo;
    case SCHED_RR:
      return SchedPolicy::rr;
    case SCHED_BATCH:
      return SchedPolicy::batch;
    case SCHED_IDLE:
      return SchedPolicy::idle;
    case kSchedDeadline:
      return SchedPolicy::deadline;
    case kSchedExt:
      return SchedPolicy::ext;
    default:  // a number of the kernel's, which may know more than we do
      return Error("process " + std::to_string(pid) + " has the unknown scheduling policy " +
                   std::to_string(raw));
  }
}

Result<void> set_sched_policy(pid_t thread, SchedPolicy policy) {
  const sched_param none{};
  const int raw = policy == SchedPolicy::idle ? SCHED_IDLE : SCHED_OTHER;
  if (::sched_setscheduler(thread, raw, &none) != 0)
    return errno_error("set the scheduling policy of " + std::to_string(thread));
  return {};
}

}  // namespace lull::os
