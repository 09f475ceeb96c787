// bench_slots EXPRESSION ZONE: microseconds of finding the next slot of an expression, as medians
// of 200 batches of 20 from instants all over fifty years, a line each, and beside it what the C
// library takes to say what the clocks of that zone show at an instant and back: "OURS PEER".
#include "jobs/calendar.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>

namespace {

using namespace lull;

constexpr int kBatches = 200;
constexpr int kBatch = 20;

/// Microseconds for one of `kBatch` calls.
template <class Call>
double time_of(Call&& call) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kBatch; ++i)
    call(i);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  return took.count() / kBatch;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto calendar = parse_calendar(argv[1]);
  const auto zone = Zone::find(argv[2]);
  if (!calendar || !zone || ::setenv("TZ", argv[2], 1) != 0) return 2;
  ::tzset();
  std::mt19937 random(20261122);
  std::uniform_int_distribution<std::time_t> seconds(0, 50L * 365 * 86400);
  std::int64_t kept = 0;  // so that nothing is left out
  for (int batch = 0; batch < kBatches; ++batch) {
    const std::time_t from = seconds(random);
    const double ours = time_of([&](int i) {
      const TimePoint after{std::chrono::seconds(from + i * 86400)};
      const auto slot = next(*calendar, after, *zone);
      kept += slot ? slot->time_since_epoch().count() : 1;
    });
    const double peer = time_of([&](int i) {
      const std::time_t at = from + i * 86400;
      std::tm shown{};
      ::localtime_r(&at, &shown);
      kept += ::mktime(&shown);
    });
    std::printf("%.3f %.3f\n", ours, peer);
  }
  return kept == 0 ? 1 : 0;
}
