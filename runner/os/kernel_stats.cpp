#include "runner/os/kernel_stats.hpp"

#include "runner/os/kernel_text.hpp"

#include <algorithm>

namespace lull::os {
namespace {

/// USER_HZ: what /proc counts ticks in, on every architecture that Linux still has.
constexpr Duration kTick = std::chrono::milliseconds(10);
constexpr std::uint64_t kSector = 512;

std::uint64_t counter(std::string_view word, bool& good) {
  const auto value = whole_number<std::uint64_t>(word);
  good = good && value;
  return value.value_or(0);
}

Duration ticks(std::string_view word, bool& good) {
  return kTick * static_cast<std::int64_t>(counter(word, good));
}

bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

/// The number behind "NAME " or "NAME: " at the start of a line.
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view name) {
  for (const std::string_view line : lines_of(text)) {
    if (!starts_with(line, name)) continue;
    const auto words = words_of(line);
    if (words.size() >= 2 && words[0] == name) return whole_number<std::uint64_t>(words[1]);
  }
  return std::nullopt;
}

}  // namespace

Result<CpuTimes> parse_cpu_times(std::string_view text) {
  constexpr std::size_t kIdle = 4;
  constexpr std::size_t kWaiting = 5;
  constexpr std::size_t kStolen = 8;
  CpuTimes times;
  bool good = false;
  for (const std::string_view line : lines_of(text)) {
    if (!starts_with(line, "cpu")) break;
    const auto words = words_of(line);
    if (words[0] != "cpu") {
      ++times.cpus;
      continue;
    }
    if (words.size() <= kStolen) return Error("the line \"cpu\" has no field for stolen time");
    good = true;
    times.idle = ticks(words[kIdle], good) + ticks(words[kWaiting], good);
    times.stolen = ticks(words[kStolen], good);
  }
  if (!good || times.cpus == 0) return Error("no line \"cpu\" with numbers, or none for a CPU");
  times.blocked = static_cast<int>(value_of(text, "procs_blocked").value_or(0));
  return times;
}

Result<DeviceCounters> parse_disk_counters(std::string_view text) {
  constexpr std::size_t kLeast = 11;
  constexpr std::size_t kFlushes = 15;
  const auto words = words_of(text);
  if (words.size() < kLeast) return Error("fewer than 11 fields");
  bool good = true;
  DeviceCounters disk;
  disk.reads = counter(words[0], good);
  disk.read.count = counter(words[2], good) * kSector;
  disk.writes = counter(words[4], good);
  disk.written.count = counter(words[6], good) * kSector;
  disk.in_flight = counter(words[8], good);
  disk.busy = std::chrono::milliseconds(counter(words[9], good));
  if (words.size() > kFlushes) disk.flushes = counter(words[kFlushes], good);
  if (!good) return Error("a field is no number");
  return disk;
}

Result<Duration> parse_stall(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    if (!starts_with(line, "some ")) continue;
    for (const std::string_view word : words_of(line)) {
      if (!starts_with(word, "total=")) continue;
      const auto total = whole_number<std::int64_t>(word.substr(6));
      if (total) return Duration(*total);
    }
  }
  return Error("no line \"some\" with a total");
}

Result<ProcessIo> parse_process_io(std::string_view text) {
  const auto read = value_of(text, "read_bytes:");
  const auto written = value_of(text, "write_bytes:");
  const auto cancelled = value_of(text, "cancelled_write_bytes:");
  if (!read || !written) return Error("no read_bytes or write_bytes");
  return ProcessIo{{*read}, {*written - std::min(*written, cancelled.value_or(0))}};
}

std::uint64_t parse_group_requests(std::string_view text, const std::set<std::string>& disks) {
  std::uint64_t sum = 0;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.empty() || !disks.contains(std::string(words.front()))) continue;
    for (const std::string_view word : words) {
      constexpr std::size_t kName = 5;  // "rios=" and "wios="
      if (!starts_with(word, "rios=") && !starts_with(word, "wios=")) continue;
      sum += whole_number<std::uint64_t>(word.substr(kName)).value_or(0);
    }
  }
  return sum;
}

Result<Duration> parse_cpu_usage(std::string_view text) {
  const auto usage = value_of(text, "usage_usec");
  if (!usage) return Error("no usage_usec");
  return Duration(static_cast<std::int64_t>(*usage));
}

Result<ProcessCpu> parse_process_cpu(std::string_view text) {
  constexpr std::size_t kUser = 11;  // utime, field 14 of the manual page
  constexpr std::size_t kThreads = 17;
  const auto close = text.rfind(')');
  if (close == std::string_view::npos) return Error("no name in brackets");
  const auto words = words_of(text.substr(close + 1));
  if (words.size() <= kThreads) return Error("fewer fields than num_threads, the 20th");
  bool good = true;
  ProcessCpu cpu;
  cpu.own = ticks(words[kUser], good) + ticks(words[kUser + 1], good);
  cpu.children = ticks(words[kUser + 2], good) + ticks(words[kUser + 3], good);
  cpu.threads = static_cast<int>(counter(words[kThreads], good));
  if (!good) return Error("a field is no number");
  return cpu;
}

}  // namespace lull::os
