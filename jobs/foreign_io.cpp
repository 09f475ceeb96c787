#include "jobs/foreign_io.hpp"

#include <algorithm>
#include <utility>

namespace lull {
namespace {

std::int64_t signed_sum(const Sample& sample, Bytes DeviceCounters::*field) {
  std::int64_t sum = 0;
  for (const DeviceCounters& disk : sample.disks)
    sum += static_cast<std::int64_t>((disk.*field).count);
  return sum;
}

/// Disks that come or go bring or take their counts.
bool same_disks(const Sample& a, const Sample& b) {
  return std::equal(a.disks.begin(), a.disks.end(), b.disks.begin(), b.disks.end(),
                    [](const auto& one, const auto& other) { return one.name == other.name; });
}

bool is_at_rest(const Sample& sample) {
  return std::all_of(sample.disks.begin(), sample.disks.end(),
                     [](const DeviceCounters& disk) { return disk.in_flight == 0; });
}

}  // namespace

void ForeignIo::add(const Sample& sample, bool writing) {
  if (first_ && !same_disks(*first_, sample)) *this = ForeignIo();
  const std::int64_t written = signed_sum(sample, &DeviceCounters::written);
  const std::int64_t just_written = written - std::exchange(written_, written);
  if (!asked_) asked_ = sample.at;
  if (!first_) {
    if (!is_at_rest(sample) && sample.at - *asked_ < kWindow) return;
    first_ = sample;
    marks_.push_back({sample.at, 0, 0});
    return;
  }
  const std::int64_t read =
      signed_sum(sample, &DeviceCounters::read) - signed_sum(*first_, &DeviceCounters::read);
  const std::int64_t own_read = static_cast<std::int64_t>(sample.own_read.count) -
                                static_cast<std::int64_t>(first_->own_read.count);
  reads_max_ = std::max(reads_max_, read - own_read);
  if (!writing) writes_ += just_written;
  const std::int64_t total = read + written - signed_sum(*first_, &DeviceCounters::written);
  marks_.push_back({sample.at, reads_max_ + writes_, static_cast<std::uint64_t>(total)});
  const auto old = std::find_if(marks_.begin(), marks_.end(),
                                [&](const Mark& mark) { return sample.at - mark.at <= kWindow; });
  marks_.erase(marks_.begin(), old);
}

Bytes ForeignIo::recent() const {
  if (marks_.empty()) return {};
  return {static_cast<std::uint64_t>(marks_.back().foreign - marks_.front().foreign)};
}

Bytes ForeignIo::total() const { return {static_cast<std::uint64_t>(reads_max_ + writes_)}; }

double ForeignIo::share() const {
  if (marks_.empty() || marks_.back().total <= marks_.front().total) return 0;
  const auto total = static_cast<double>(marks_.back().total - marks_.front().total);
  return std::min(1.0, static_cast<double>(recent().count) / total);
}

void Waiters::add(const Sample& sample) {
  constexpr Duration kSureFor = std::chrono::seconds(1);
  if (written_ && *written_ != sample.own_written) last_write_ = sample.at;
  written_ = sample.own_written;
  constexpr double kHalfOne = 0.5;  // between nobody and one thread that waits all the time
  constexpr double kMost = 1;       // so that no single look decides, however far it is off
  const double seen = are_writing(sample.at) ? 0 : std::clamp(sample.waiting, -kMost, kMost);
  sum_ = std::clamp(sum_ + seen - kHalfOne, 0.0, kSure);
  if (sum_ >= kSure) sure_until_ = sample.at + kSureFor;
  undecided_ = sum_ > 0 && sum_ < kSure ? undecided_ + 1 : 0;
}

bool Waiters::are_suspected(Instant now) const {
  return undecided_ > 0 && undecided_ <= kMostInHaste && !are_sure(now);
}

bool Waiters::are_writing(Instant now) const {
  // dirty_expire_centisecs and the flusher's interval (Documentation/admin-guide/sysctl/vm)
  constexpr Duration kWriteBack = std::chrono::seconds(35);
  return is_within(last_write_, kWriteBack, now);
}

void Committers::add(const Sample& sample, bool recording) {
  constexpr Duration kWithin = std::chrono::seconds(2);
  constexpr Duration kLikelyFor = std::chrono::seconds(10);
  constexpr std::size_t kEnough = 3;
  std::uint64_t flushes = 0;
  for (const DeviceCounters& disk : sample.disks)
    flushes += disk.flushes;
  const bool fresh = flushes_ && *flushes_ != flushes;
  flushes_ = flushes;
  if (!fresh || recording) return;
  seen_.push_back(sample.at);
  if (seen_.size() > kEnough) seen_.erase(seen_.begin());
  if (seen_.size() == kEnough && sample.at - seen_.front() <= kWithin) {
    likely_until_ = sample.at + kLikelyFor;
  }
}

}  // namespace lull
