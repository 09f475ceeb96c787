#include "runner/os/spinner.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>

namespace lull::os {
namespace {

/// On a CPU that others fill a child may have to wait for its first turn.
constexpr std::chrono::milliseconds kReady{10'000};
/// No spinner outlives this, whatever happens to us.
constexpr time_t kLongest = 30;

time_t uptime() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

/// In the child: async-signal-safe calls only.
[[noreturn]] void spin(const cpu_set_t& cpu, pid_t parent, int ready, int go_reader,
                       int go_writer) {
  ::close(go_writer);  // else we would wait for ourselves
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it ended before the line above
  // First the CPU, then the session: what a new autogroup did on another CPU would weigh on its
  // share of this one for a while (calc_group_shares() in kernel/sched/fair.c).
  if (::sched_setaffinity(0, sizeof(cpu), &cpu) != 0 || ::setsid() < 0) ::_exit(1);
  char byte = 'r';
  if (::write(ready, &byte, 1) != 1) ::_exit(1);
  ::close(ready);
  while (::read(go_reader, &byte, 1) > 0) {
  }
  for (const time_t start = uptime(); uptime() - start < kLongest;) {
  }
  ::_exit(0);
}

/// Whether the child has said that it is ready, rather than ended.
bool says_ready(const Fd& ready) {
  pollfd wait{ready.get(), POLLIN, 0};
  char byte = 0;
  return ::poll(&wait, 1, static_cast<int>(kReady.count())) == 1 &&
         ::read(ready.get(), &byte, 1) == 1;
}

}  // namespace

Result<Spinner> Spinner::start(int cpu, const Fd& go_reader, const Fd& go_writer) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("make a pipe");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  const pid_t self = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork a spinner");
  if (pid == 0) spin(set, self, writer.get(), go_reader.get(), go_writer.get());
  writer.reset();
  Spinner spinner(pid);
  if (!says_ready(reader)) return Error("a spinner could not start on CPU " + std::to_string(cpu));
  return spinner;
}

void Spinner::kill() const {
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

std::chrono::microseconds Spinner::end() {
  if (pid_ == 0) return {};
  kill();
  rusage used{};
  while (::wait4(pid_, nullptr, 0, &used) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int any_cpu() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  (void)::sched_getaffinity(0, sizeof(allowed), &allowed);  // fails with over 1024 CPUs: then 0
  // The last: the first serves more interrupts.
  for (int cpu = CPU_SETSIZE - 1; cpu > 0; --cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &allowed)) return cpu;
  }
  return 0;
}

}  // namespace lull::os
