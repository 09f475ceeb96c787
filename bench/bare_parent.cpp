// bench_bare_parent CMD [ARG...]: the least that a parent of its own per run can do. It starts CMD,
// waits for it and exits as it did; no log, no record, no priority, nothing durable.
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): the cheapest start is the point
  const pid_t pid = ::vfork();
  if (pid == 0) {
    ::execve(argv[1], argv + 1, environ);
    ::_exit(127);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
