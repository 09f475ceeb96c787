#pragma once

#include "jobs/result.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace lull {

/// systemd.time(7) resolves to microseconds, so does lull.
using Duration = std::chrono::microseconds;
using TimePoint = std::chrono::sys_time<Duration>;

struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

/// Reads a duration such as "90s", "20min", "6h", "1h 30min" or "400d": whole numbers, each with a
/// unit (us, ms, s, min, h, d, w). A bare number, an empty text and an overflow are errors whose
/// message names the remedy.
Result<Duration> parse_duration(std::string_view text);

/// Reads a size such as "10MB", "2G" or "512KiB". K, M, G and T (with or without "iB") are powers
/// of 1024; "kB", "MB", "GB" and "TB" are powers of 1000. A bare number is an error.
Result<Bytes> parse_bytes(std::string_view text);

/// Reads a share such as "25%" as 0.25: a whole number and a percent sign. A bare number is an
/// error. More than 100 % is possible where a share is of one CPU.
Result<double> parse_percent(std::string_view text);

/// From days down, without empty parts: "1h 30min", "400d", "0s". parse_duration reads it back as
/// the same value; only a negative duration ("-5s") has no way back.
std::string format_duration(Duration duration);

/// For people: "1.2 GB", "12 GB", "123 GB" (powers of 1000, at most three digits).
std::string format_bytes(Bytes bytes);

}  // namespace lull
