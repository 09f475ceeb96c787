// bench_job LOAD: a background job that never ends by itself before its time.
//   spin SECONDS PROGRESS                a CPU
//   seqread DEVICE SECONDS PROGRESS      four threads, direct reads of 256 KiB each
//   bufwrite FOLDER SECONDS PROGRESS     buffered writes, durable every 64 MiB, 256 MiB in all
// It appends "MONOTONIC_US WORK" to the file PROGRESS whenever 20 ms have passed, with the work
// done since the start (chunks, or bytes), so that pauses and rates can be told afterwards.
#include "bench/load.hpp"

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace lull::bench;

constexpr std::int64_t kReaders = 4;

/// Its file belongs in memory: a note on disk would itself be a load.
class Progress {
 public:
  explicit Progress(const char* path)
      : fd_(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (fd_ < 0) give_up(path);
    note(now_us());
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    note(now_us());
    ::close(fd_);
  }

  /// By any thread; returns the time, which the caller needs next.
  std::int64_t add(std::uint64_t work) {
    work_ += work;
    const std::int64_t now = now_us();
    std::int64_t last = noted_us_;
    if (now - last >= kEvery && noted_us_.compare_exchange_strong(last, now)) note(now);
    return now;
  }

 private:
  static constexpr std::int64_t kEvery = 20'000;

  void note(std::int64_t now) {
    noted_us_ = now;
    char line[64];
    const int length = std::snprintf(line, sizeof line, "%lld %llu\n", static_cast<long long>(now),
                                     static_cast<unsigned long long>(work_.load()));
    if (::write(fd_, line, static_cast<std::size_t>(length)) != length) give_up("progress");
  }

  int fd_;
  std::atomic<std::uint64_t> work_{0};
  std::atomic<std::int64_t> noted_us_{0};
};

void spin_until(std::int64_t end, Progress& progress) {
  do
    spin(kChunk);
  while (progress.add(1) < end);
}

void read_part(std::int64_t part, std::int64_t end, const char* device, Progress& progress) {
  constexpr std::size_t kBlock = 256UL << 10;
  DirectReader reader(device, kBlock);
  std::int64_t at = reader.blocks() / kReaders * part;
  do {
    reader.read(at);
    at = (at + 1) % reader.blocks();
  } while (progress.add(kBlock) < end);
}

void read_until(std::int64_t end, const char* device, Progress& progress) {
  std::vector<std::jthread> all;
  all.reserve(kReaders);
  for (std::int64_t part = 0; part < kReaders; ++part)
    all.emplace_back([=, &progress] { read_part(part, end, device, progress); });
}

void write_until(std::int64_t end, const std::string& folder, Progress& progress) {
  constexpr std::uint64_t kBlock = 1UL << 20;
  constexpr std::uint64_t kDurable = 64 * kBlock;
  constexpr std::uint64_t kFile = 256 * kBlock;
  // Not zeros: a device may make those cheap.
  std::string block(kBlock, '\0');
  std::uint32_t x = 1;
  for (char& byte : block) {
    x = x * 1664525U + 1013904223U;
    byte = static_cast<char>(x >> 24U);
  }
  const std::string path = folder + "/written";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) give_up(path.c_str());
  std::uint64_t written = 0;
  do {
    const auto at = static_cast<off_t>(written % kFile);
    if (::pwrite(file, block.data(), kBlock, at) != static_cast<ssize_t>(kBlock)) give_up("write");
    written += kBlock;
    if (written % kDurable == 0 && ::fsync(file) != 0) give_up("fsync");
  } while (progress.add(kBlock) < end);
  ::close(file);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view load = argc > 1 ? argv[1] : "";
  const bool on_cpu = load == "spin";
  if (argc != (on_cpu ? 4 : 5)) return 2;
  Progress progress(argv[argc - 1]);
  const std::int64_t end = now_us() + static_cast<std::int64_t>(number(argv[argc - 2]) * kSecondUs);
  if (on_cpu) {
    spin_until(end, progress);
  } else if (load == "seqread") {
    read_until(end, argv[2], progress);
  } else if (load == "bufwrite") {
    write_until(end, argv[2], progress);
  } else {
    return 2;
  }
  return 0;
}
