// What the loads of ./dev bench protect share: the clock, work for a CPU and direct reads.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>

namespace lull::bench {

constexpr std::int64_t kSecondUs = 1'000'000;
/// How many loops pass between two looks at the clock: some 50 µs.
constexpr std::uint64_t kChunk = 50'000;

/// CLOCK_MONOTONIC, which all processes share.
inline std::int64_t now_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * kSecondUs + now.tv_nsec / 1000;
}

inline void sleep_until(std::int64_t at_us) {
  const timespec at{at_us / kSecondUs, at_us % kSecondUs * 1000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {
  }
}

/// Work that stays in registers: nothing but the CPU can slow it down.
inline void spin(std::uint64_t loops) {
  std::uint32_t x = 1;
  for (std::uint64_t i = 0; i < loops; ++i) {
    x = x * 1664525U + 1013904223U;
    asm volatile("" : "+r"(x));
  }
}

/// Says why on stderr: a load that cannot work must not look like one that was slow.
[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

inline double number(const char* text) { return std::strtod(text, nullptr); }

/// Reads past the page cache, in blocks of one size.
class DirectReader {
 public:
  DirectReader(const char* path, std::size_t block)
      : fd_(::open(path, O_RDONLY | O_DIRECT | O_CLOEXEC)),
        block_(block),
        buffer_(static_cast<char*>(std::aligned_alloc(kAlignment, block)), &std::free) {
    if (fd_ < 0 || !buffer_) give_up(path);
    blocks_ = ::lseek(fd_, 0, SEEK_END) / static_cast<std::int64_t>(block);
    if (blocks_ < 1) give_up("less than a block");
  }
  DirectReader(const DirectReader&) = delete;
  DirectReader& operator=(const DirectReader&) = delete;
  ~DirectReader() { ::close(fd_); }

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }
  void read(std::int64_t index) {
    const off_t at = index * static_cast<std::int64_t>(block_);
    if (::pread(fd_, buffer_.get(), block_, at) != static_cast<ssize_t>(block_)) give_up("read");
  }

 private:
  static constexpr std::size_t kAlignment = 4096;
  int fd_;
  std::size_t block_;
  std::unique_ptr<char, decltype(&std::free)> buffer_;
  std::int64_t blocks_ = 0;
};

}  // namespace lull::bench
