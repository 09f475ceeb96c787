// bench_bare_timer FIRST_US PERIOD_US COUNT CMD [ARG...]: starts CMD at FIRST_US (microseconds
// since 1970 UTC) and then every PERIOD_US, COUNT times, with the slot as one more argument: a
// timerfd and posix_spawn, nothing recorded. With a COUNT of 0 it only waits for FIRST_US, which
// makes it the least that a process with a timer can weigh.
#include <spawn.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr int kMostArguments = 16;

bool wait_until(int timer, std::int64_t at_us) {
  itimerspec when{};
  when.it_value.tv_sec = at_us / kSecond;
  when.it_value.tv_nsec = at_us % kSecond * 1000;
  std::uint64_t expirations = 0;
  return ::timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, nullptr) == 0 &&
         ::read(timer, &expirations, sizeof expirations) == sizeof expirations;
}

/// `argv` has room for the slot at `slot_at`.
bool run(char** argv, int slot_at, std::int64_t slot_us) {
  std::array<char, 32> slot{};
  std::snprintf(slot.data(), slot.size(), "%lld", static_cast<long long>(slot_us));
  argv[slot_at] = slot.data();
  pid_t pid = 0;
  if (::posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ) != 0) return false;
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc - 4 > kMostArguments) return 2;
  const std::int64_t first = std::strtoll(argv[1], nullptr, 10);
  const std::int64_t period = std::strtoll(argv[2], nullptr, 10);
  const long count = std::strtol(argv[3], nullptr, 10);
  const int timer = ::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
  if (timer < 0) return 1;
  if (count == 0) return wait_until(timer, first) ? 0 : 1;
  if (argc < 5) return 2;
  std::array<char*, kMostArguments + 2> command{};
  for (int i = 4; i < argc; ++i)
    command[static_cast<std::size_t>(i - 4)] = argv[i];
  for (long slot = 0; slot < count; ++slot) {
    const std::int64_t at = first + slot * period;
    if (!wait_until(timer, at) || !run(command.data(), argc - 4, at)) return 1;
  }
  return 0;
}
