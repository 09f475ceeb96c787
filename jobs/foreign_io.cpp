#include "jobs/foreign_io.hpp"

#include <algorithm>

namespace lull {
namespace {

std::int64_t signed_sum(const Sample& sample, Bytes DeviceCounters::*field) {
  std::int64_t sum = 0;
  for (const DeviceCounters& disk : sample.disks)
    sum += static_cast<std::int64_t>((disk.*field).count);
  return sum;
}

bool is_at_rest(const Sample& sample) {
  return std::all_of(sample.disks.begin(), sample.disks.end(),
                     [](const DeviceCounters& disk) { return disk.in_flight == 0; });
}

std::int64_t since(const Sample& first, const Sample& now, Bytes Sample::*field) {
  return static_cast<std::int64_t>((now.*field).count - (first.*field).count);
}

}  // namespace

void ForeignIo::add(const Sample& sample) {
  if (!asked_) asked_ = sample.at;
  if (!first_) {
    if (!is_at_rest(sample) && sample.at - *asked_ < kWindow) return;
    first_ = sample;
    marks_.push_back({sample.at, 0, 0});
    return;
  }
  const std::int64_t read =
      signed_sum(sample, &DeviceCounters::read) - signed_sum(*first_, &DeviceCounters::read);
  const std::int64_t written =
      signed_sum(sample, &DeviceCounters::written) - signed_sum(*first_, &DeviceCounters::written);
  reads_max_ = std::max(reads_max_, read - since(*first_, sample, &Sample::own_read));
  // The file system's own records of our writes (journal, bitmaps, inodes) are counted to nobody.
  const std::int64_t own_written = since(*first_, sample, &Sample::own_written);
  writes_max_ = std::max(writes_max_, written - own_written - own_written / 2);
  marks_.push_back(
      {sample.at, reads_max_ + writes_max_, static_cast<std::uint64_t>(read + written)});
  const auto old = std::find_if(marks_.begin(), marks_.end(),
                                [&](const Mark& mark) { return sample.at - mark.at <= kWindow; });
  marks_.erase(marks_.begin(), old);
}

Bytes ForeignIo::recent() const {
  if (marks_.empty()) return {};
  return {static_cast<std::uint64_t>(marks_.back().foreign - marks_.front().foreign)};
}

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
  const double seen = are_writing(sample.at) ? 0 : sample.waiting;
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
  return last_write_.count() >= 0 && now - last_write_ < kWriteBack;
}

}  // namespace lull
