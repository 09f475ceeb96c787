// bench_stamp FILE [SLOT_US]: reads the clock before anything else and appends "SLOT_US NOW_US" to
// FILE. Without SLOT_US the slot is the one that lull put into LULL_SLOT, in RFC 3339.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

constexpr std::int64_t kSecond = 1'000'000;

std::int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec / 1000;
}

/// ".25" is 250,000; none is 0.
std::int64_t fraction_us(const char** text) {
  if (**text != '.') return 0;
  ++*text;
  std::int64_t value = 0;
  std::int64_t unit = kSecond;
  for (; **text >= '0' && **text <= '9'; ++*text) {
    unit /= 10;
    value += (**text - '0') * unit;
  }
  return value;
}

/// "2026-11-22T02:30:00.25+01:00"; -1 when it is no such text.
std::int64_t slot_us(const char* text) {
  tm civil{};
  const char* rest = text == nullptr ? nullptr : ::strptime(text, "%Y-%m-%dT%H:%M:%S", &civil);
  if (rest == nullptr) return -1;
  const std::int64_t micros = fraction_us(&rest);
  tm offset{};
  if (*rest == '\0' || ::strptime(rest + 1, "%H:%M", &offset) == nullptr) return -1;
  const std::int64_t ahead = (std::int64_t{offset.tm_hour} * 60 + offset.tm_min) * 60;
  return (::timegm(&civil) - (*rest == '-' ? -ahead : ahead)) * kSecond + micros;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t now = now_us();
  if (argc < 2) return 2;
  const std::int64_t slot =
      argc > 2 ? std::strtoll(argv[2], nullptr, 10) : slot_us(std::getenv("LULL_SLOT"));
  std::array<char, 64> line{};
  std::snprintf(line.data(), line.size(), "%lld %lld\n", static_cast<long long>(slot),
                static_cast<long long>(now));
  const int file = ::open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const auto size = std::strlen(line.data());
  return ::write(file, line.data(), size) == static_cast<ssize_t>(size) ? 0 : 1;
}
