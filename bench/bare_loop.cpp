// bench_bare_loop COUNT PARALLEL CMD [ARG...]: starts CMD COUNT times, PARALLEL at once, and prints
// how many seconds that took. Exits with 1 when one of them failed.
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

bool start(char** command) {
  pid_t pid = 0;
  return ::posix_spawn(&pid, command[0], nullptr, nullptr, command, environ) == 0;
}

bool wait_for_one() {
  int status = 0;
  return ::wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool run_all(long count, long parallel, char** command) {
  bool good = true;
  for (long started = 0; started < count; ++started) {
    if (started >= parallel) good = wait_for_one() && good;
    good = start(command) && good;
  }
  for (long left = count < parallel ? count : parallel; left > 0; --left) {
    good = wait_for_one() && good;
  }
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const long count = std::strtol(argv[1], nullptr, 10);
  const long parallel = std::strtol(argv[2], nullptr, 10);
  if (count < 1 || parallel < 1) return 2;
  const auto begin = std::chrono::steady_clock::now();
  const bool good = run_all(count, parallel, argv + 3);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.6f\n", took.count());
  return good ? 0 : 1;
}
