#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

/// The keeper has no C library: a static program of a few pages starts three times as fast and
/// weighs a tenth of one that has (docs/decisions/0001-keeper-without-libc.md). These are the
/// kernel's calls, each returning a value or -errno, and the few text helpers that it needs.
namespace lull::keeper {

/// A raw system call: its result, or -errno. In call_bare.cpp; call_hosted.cpp is the same on top
/// of libc, for sanitizers, unit tests and machines without an assembler stub of ours.
long syscall_raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0);

/// What a system call's argument is: a register.
template <class T>
long word(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return static_cast<long>(value);
  }
}

/// syscall_raw with pointers and integers of any size.
template <class... Args>
long sys(long number, Args... args) {
  return syscall_raw(number, word(args)...);
}

/// The whole program: `argv` as main gets it. Returns the exit status.
int keep(int argc, char** argv);

/// A text being put together in a fixed buffer; what does not fit is cut.
template <std::size_t Size>
class Line {
 public:
  Line& operator<<(std::string_view text) {
    for (const char c : text)
      put(c);
    return *this;
  }
  Line& operator<<(std::int64_t number) {
    char digits[20];
    std::size_t n = 0;
    auto rest =
        number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
    do {
      digits[n++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (number < 0) put('-');
    while (n > 0)
      put(digits[--n]);
    return *this;
  }
  [[nodiscard]] const char* c_str() const { return text_; }
  [[nodiscard]] std::string_view view() const { return {text_, size_}; }

 private:
  void put(char c) {
    if (size_ + 1 < Size) text_[size_++] = c;
  }
  char text_[Size] = {};
  std::size_t size_ = 0;
};

/// Reads a whole small file such as those of /proc; an empty view when it cannot be read.
std::string_view read_small(const char* path, std::span<char> buffer);

/// The leading decimal number of `text`, which is advanced past it; -1 when there is none.
std::int64_t take_number(std::string_view& text);

/// CLOCK_REALTIME, in microseconds.
std::int64_t now_us();
/// CLOCK_MONOTONIC, in milliseconds.
std::int64_t monotonic_ms();

}  // namespace lull::keeper
