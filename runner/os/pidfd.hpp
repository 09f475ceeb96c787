#pragma once

#include "runner/os/fd.hpp"

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace lull::os {

// By number: glibc 2.36's <sys/pidfd.h> lacks extern "C", so its functions cannot be linked from
// C++.

/// pidfd_open(2); empty, with errno, where there is no such process.
inline Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

/// pidfd_send_signal(2): whether it was sent; errno says why not.
inline bool send_signal(int pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

}  // namespace lull::os
