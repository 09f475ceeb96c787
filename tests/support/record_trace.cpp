// record_trace SECONDS FROM UNTIL CMD...: waits for a run of some lull, which is the job, and
// writes a trace of this machine in which CMD, which runs from second FROM until it is killed at
// UNTIL, is the foreground. tests/fixtures/traces/record.sh makes the fixtures with it.
#include "jobs/looks.hpp"
#include "runner/os/sampler.hpp"
#include "tests/support/trace.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>

namespace {

using lull::Duration;
using lull::Instant;
using std::chrono::milliseconds;
using std::chrono::seconds;

Instant now() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

pid_t start(char** argv) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execvp(argv[0], argv);
  std::perror(argv[0]);
  ::_exit(127);
}

void stop(pid_t child) {
  if (child <= 0) return;
  ::kill(-child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

/// Waits until a run is there and its start is over: what it used before it was found is nobody's.
bool wait_for_job(lull::os::Sampler& sampler) {
  const Instant deadline = now() + seconds(5);
  while (!sampler.look_for_others()) {
    if (now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  std::this_thread::sleep_for(seconds(1));
  sampler.look_for_others();
  sampler.take(now());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const auto second = [&](int i) { return Duration(seconds(std::stol(argv[i]))); };
  lull::os::Sampler sampler;
  if (!wait_for_job(sampler)) {
    std::cerr << "record_trace: no run to record; start one with lull run\n";
    return 1;
  }
  const Instant begin = now();
  lull::Looks looks;  // decides how soon to look again, as the loop does
  pid_t foreground = 0;
  bool ended = false;
  for (Instant at = begin; at - begin < second(1); at = now()) {
    if (foreground == 0 && at - begin >= second(2)) foreground = start(argv + 4);
    if (!ended && at - begin >= second(3)) {
      stop(foreground);
      ended = true;
    }
    lull::tests::TraceLine line{sampler.take(at), foreground > 0 && !ended};
    lull::tests::write_trace_line(std::cout, line);
    looks.add(std::move(line.sample));
    std::this_thread::sleep_for(milliseconds(looks.suspects(at) ? 10 : 100));
  }
  if (!ended) stop(foreground);
}
