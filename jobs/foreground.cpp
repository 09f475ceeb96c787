#include "jobs/foreground.hpp"

#include <algorithm>
#include <utility>

namespace lull {
namespace {

double share_of(Duration part, Duration whole) {
  if (whole.count() <= 0) return 0;
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

double clamped_share(Duration part, Duration whole) {
  return std::clamp(share_of(part, whole), 0.0, 1.0);
}

const DeviceCounters* find(const std::vector<DeviceCounters>& disks, const std::string& name) {
  const auto found = std::find_if(disks.begin(), disks.end(),
                                  [&](const DeviceCounters& disk) { return disk.name == name; });
  return found == disks.end() ? nullptr : &*found;
}

/// Waiting of our own jobs is waiting on the machine: whoever waits beyond that is the foreground.
/// Where both wait at once this says too little, never too much.
double certain_cpu_stall(const Sample& before, const Sample& now, Duration span) {
  if (before.foreground && now.foreground) {
    return clamped_share(now.foreground->cpu - before.foreground->cpu, span);
  }
  if (!before.all || !now.all || !before.own || !now.own) return 0;
  const Duration all = now.all->cpu - before.all->cpu;
  const Duration own = now.own->cpu - before.own->cpu;
  return clamped_share(all - own, span);
}

/// Memory is short for all alike: whoever waits for it, the foreground will too.
double memory_stall(const Sample& before, const Sample& now, Duration span) {
  if (!before.all || !now.all) return 0;
  return clamped_share(now.all->memory - before.all->memory, span);
}

std::vector<DeviceUse> device_uses(const Sample& before, const Sample& now, Duration span) {
  std::vector<DeviceUse> uses;
  for (const DeviceCounters& disk : now.disks) {
    const DeviceCounters* earlier = find(before.disks, disk.name);
    if (earlier == nullptr || disk.busy == earlier->busy) continue;
    uses.push_back({disk.name, clamped_share(disk.busy - earlier->busy, span)});
  }
  return uses;
}

std::int64_t signed_sum(const Sample& sample, Bytes DeviceCounters::*field) {
  std::int64_t sum = 0;
  for (const DeviceCounters& disk : sample.disks)
    sum += static_cast<std::int64_t>((disk.*field).count);
  return sum;
}

std::int64_t since(const Sample& first, const Sample& now, Bytes Sample::*field) {
  return static_cast<std::int64_t>((now.*field).count - (first.*field).count);
}

}  // namespace

Observation foreground(const Sample& before, const Sample& now) {
  Observation seen;
  seen.at = now.at;
  seen.cpus = now.cpus;
  const Duration span = now.at - before.at;
  const Duration used = span * now.cpus - (now.idle - before.idle) - (now.stolen - before.stolen);
  const Duration own = now.own_cpu - before.own_cpu;
  seen.cpu = std::clamp(share_of(used - own, span), 0.0, static_cast<double>(now.cpus));
  seen.own_cpu = std::max(0.0, share_of(own, span));
  // However long it waits, it does not wait for us longer than we ran.
  seen.cpu_stall = std::min(certain_cpu_stall(before, now, span), seen.own_cpu);
  seen.memory_stall = memory_stall(before, now, span);
  seen.devices = device_uses(before, now, span);
  return seen;
}

std::optional<Observation> Looks::add(const Sample& now) {
  constexpr Duration kShort = std::chrono::milliseconds(80);
  constexpr Duration kLong = std::chrono::milliseconds(250);
  constexpr double kNoDoubt = 0.6;  // CPUs: more than ticks can be wrong in a short look
  const auto recent = std::find_if(samples_.rbegin(), samples_.rend(),
                                   [&](const Sample& one) { return now.at - one.at >= kShort; });
  std::optional<Observation> seen;
  if (recent != samples_.rend()) {
    const Observation fresh = foreground(*recent, now);
    if (now.at - samples_.front().at >= kLong) seen = foreground(samples_.front(), now);
    if (fresh.cpu >= kNoDoubt) {
      if (!seen) seen = fresh;
      seen->cpu = fresh.cpu;
      seen->own_cpu = fresh.own_cpu;
    }
  }
  samples_.push_back(now);
  while (samples_.size() > 1 && now.at - samples_[1].at >= kLong)
    samples_.pop_front();
  return seen;
}

void ForeignIo::add(const Sample& sample) {
  if (!first_) {
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
}

bool Waiters::are_writing(Instant now) const {
  // dirty_expire_centisecs and the flusher's interval (Documentation/admin-guide/sysctl/vm)
  constexpr Duration kWriteBack = std::chrono::seconds(35);
  return last_write_.count() >= 0 && now - last_write_ < kWriteBack;
}

}  // namespace lull
