// bench_foreground LOAD: somebody at work, and how that went for them, as one JSON object.
//   calibrate                                              prints the LOOPS_PER_US of this machine
//   spin THREADS SECONDS                                   as much as the CPUs give
//   duty THREADS WORK_US PERIOD_US SECONDS LOOPS_PER_US    a fixed piece of work each period; a
//   first
//                                                          second before SECONDS does not count
//   randread DEVICE SECONDS [GAP_MS]                       one direct 4k read after the other
//   commits FOLDER SECONDS PER_S                           durable SQLite transactions
//   command CMD...                                         once; how many of it a second would hold
#include "bench/load.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace lull::bench;

/// The smallest of the sorted times that `percent` do not exceed.
std::int64_t percentile(const std::vector<std::int64_t>& sorted, std::size_t percent) {
  if (sorted.empty()) return 0;
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

/// Opens the object with the time that it is about: by the clock of a job's progress, and by that
/// of lull's history.
void open_object(std::int64_t from_us) {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  const std::int64_t now = now_us();
  const std::int64_t unix_us = std::int64_t{wall.tv_sec} * kSecondUs + wall.tv_nsec / 1000;
  std::printf("{\"from_us\": %lld, \"to_us\": %lld, \"from_unix_us\": %lld, ",
              static_cast<long long>(from_us), static_cast<long long>(now),
              static_cast<long long>(unix_us - (now - from_us)));
}

void print_times(std::vector<std::int64_t> times) {
  std::sort(times.begin(), times.end());
  std::printf("\"p50_us\": %lld, \"p95_us\": %lld, \"p99_us\": %lld",
              static_cast<long long>(percentile(times, 50)),
              static_cast<long long>(percentile(times, 95)),
              static_cast<long long>(percentile(times, 99)));
}

/// The fastest of many short tries: the others were disturbed.
int calibrate() {
  constexpr std::uint64_t kLoops = 2'000'000;
  std::int64_t best = kSecondUs;
  for (int attempt = 0; attempt < 200; ++attempt) {
    const std::int64_t start = now_us();
    spin(kLoops);
    best = std::min(best, now_us() - start);
  }
  std::printf("%.1f\n", static_cast<double>(kLoops) / static_cast<double>(best));
  return 0;
}

std::uint64_t chunks_until(std::int64_t end) {
  std::uint64_t chunks = 0;
  for (; now_us() < end; ++chunks)
    spin(kChunk);
  return chunks;
}

int spin_all(std::size_t threads, double seconds) {
  std::vector<std::uint64_t> chunks(threads);
  const std::int64_t start = now_us();
  const std::int64_t end = start + static_cast<std::int64_t>(seconds * kSecondUs);
  {
    std::vector<std::jthread> all;
    all.reserve(threads);
    for (std::uint64_t& mine : chunks)
      all.emplace_back([&mine, end] { mine = chunks_until(end); });
  }
  const auto work = std::accumulate(chunks.begin(), chunks.end(), std::uint64_t{0});
  open_object(start);
  std::printf("\"work_per_s\": %.2f}\n",
              static_cast<double>(work) * kSecondUs / static_cast<double>(now_us() - start));
  return 0;
}

struct Duty {
  std::uint64_t loops = 0;
  std::int64_t period_us = 0, start_us = 0, counts_us = 0, end_us = 0;
};

/// Returns how long after it was due each piece was done, from the instant on that counts. Who is
/// late starts the next one at once, as a film does that drops frames: periods that passed
/// meanwhile are left out.
std::vector<std::int64_t> periods(const Duty& duty, std::int64_t& missed) {
  std::vector<std::int64_t> totals;
  for (std::int64_t due = duty.start_us; due < duty.end_us; due += duty.period_us) {
    sleep_until(due);
    spin(duty.loops);
    const std::int64_t now = now_us();
    if (due >= duty.counts_us) totals.push_back(now - due);
    for (; due + 2 * duty.period_us <= now; due += duty.period_us)
      ++missed;
  }
  return totals;
}

int duty_all(std::size_t threads, const Duty& duty) {
  std::vector<std::vector<std::int64_t>> totals(threads);
  std::vector<std::int64_t> missed(totals.size());
  {
    std::vector<std::jthread> all;
    all.reserve(threads);
    for (std::size_t i = 0; i < totals.size(); ++i)
      all.emplace_back([&, i] { totals[i] = periods(duty, missed[i]); });
  }
  std::vector<std::int64_t> times;
  std::int64_t lost = 0;
  for (std::size_t i = 0; i < totals.size(); ++i) {
    times.insert(times.end(), totals[i].begin(), totals[i].end());
    lost += missed[i];
  }
  const double pieces_per_s = static_cast<double>(times.size()) * kSecondUs /
                              static_cast<double>(now_us() - duty.counts_us);
  open_object(duty.counts_us);
  print_times(std::move(times));
  std::printf(", \"work_per_s\": %.2f, \"missed\": %lld}\n", pieces_per_s,
              static_cast<long long>(lost));
  return 0;
}

int randread(const char* device, double seconds, double gap_ms) {
  constexpr std::size_t kBlock = 4096;
  DirectReader reader(device, kBlock);
  std::mt19937_64 random(std::random_device{}());
  std::uniform_int_distribution<std::int64_t> any(0, reader.blocks() - 1);
  std::vector<std::int64_t> times;
  const std::int64_t start = now_us();
  const std::int64_t end = start + static_cast<std::int64_t>(seconds * kSecondUs);
  for (std::int64_t from = start; from < end; from = now_us()) {
    reader.read(any(random));
    const std::int64_t done = now_us();
    times.push_back(done - from);
    if (gap_ms > 0) sleep_until(done + static_cast<std::int64_t>(gap_ms * 1000));
  }
  open_object(start);
  std::printf("\"per_s\": %.2f, ", static_cast<double>(times.size()) * kSecondUs /
                                       static_cast<double>(now_us() - start));
  print_times(std::move(times));
  std::printf("}\n");
  return 0;
}

int commits(const std::string& folder, double seconds, double per_s) {
  SQLite::Database base(folder + "/commits.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  base.exec("PRAGMA synchronous = FULL");
  base.exec("CREATE TABLE IF NOT EXISTS entry (text TEXT)");
  SQLite::Statement insert(base, "INSERT INTO entry VALUES (hex(randomblob(100)))");
  std::vector<std::int64_t> times;
  const std::int64_t start = now_us();
  const auto count = static_cast<std::int64_t>(seconds * per_s);
  for (std::int64_t i = 0; i < count; ++i) {
    sleep_until(start + static_cast<std::int64_t>(static_cast<double>(i) * kSecondUs / per_s));
    const std::int64_t from = now_us();
    insert.exec();
    insert.reset();
    times.push_back(now_us() - from);
  }
  open_object(start);
  print_times(std::move(times));
  std::printf("}\n");
  return 0;
}

int command(char** argv) {
  const std::int64_t start = now_us();
  pid_t child = 0;
  int status = 0;
  if (::posix_spawnp(&child, argv[0], nullptr, nullptr, argv, environ) != 0 ||
      ::waitpid(child, &status, 0) != child || status != 0) {
    give_up(argv[0]);
  }
  const std::int64_t took = now_us() - start;
  open_object(start);
  std::printf("\"work_per_s\": %.5f}\n",
              static_cast<double>(kSecondUs) / static_cast<double>(took));
  return 0;
}

int run(int argc, char** argv) {
  const std::string_view load = argc > 1 ? argv[1] : "";
  const auto at = [&](int i) { return number(argv[i]); };
  if (load == "calibrate" && argc == 2) return calibrate();
  if (load == "spin" && argc == 4) return spin_all(static_cast<std::size_t>(at(2)), at(3));
  if (load == "duty" && argc == 7) {
    Duty duty{static_cast<std::uint64_t>(at(3) * at(6)), static_cast<std::int64_t>(at(4)),
              now_us()};
    duty.counts_us = duty.start_us + kSecondUs;
    duty.end_us = duty.counts_us + static_cast<std::int64_t>(at(5) * kSecondUs);
    return duty_all(static_cast<std::size_t>(at(2)), duty);
  }
  if (load == "randread" && (argc == 4 || argc == 5))
    return randread(argv[2], at(3), argc == 5 ? at(4) : 0);
  if (load == "command" && argc > 2) return command(argv + 2);
  if (load == "commits" && argc == 5) return commits(argv[2], at(3), at(4));
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_foreground: %s\n", error.what());
    return 1;
  }
}
