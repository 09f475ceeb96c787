#include "jobs/looks.hpp"

#include <algorithm>
#include <utility>

namespace lull {
namespace {

using std::chrono::milliseconds;

constexpr Duration kShort = milliseconds(80);
constexpr Duration kLong = milliseconds(250);
/// CPUs: more than ticks can be wrong in a short look.
constexpr double kNoDoubt = 0.6;
/// How long what we record of a change takes on a slow disk.
constexpr Duration kRecordFor = milliseconds(300);
/// How long a disk on which the foreground was heard counts as its own.
constexpr Duration kHeardFor = milliseconds(500);

}  // namespace

std::optional<Observation> Looks::add(Sample now) {
  if (recording(now.at)) now.waiting = 0;
  own_written_ = now.own_written;
  waiters_.add(now);
  committers_.add(now, recording(now.at));
  if (!now.own_io_known) foreign_ = ForeignIo();  // what cannot be told apart proves nothing
  foreign_.add(now, writing(now.at));
  auto seen = cpu_and_stalls(now);
  if (seen) {
    seen->others_wait = waiters_.are_sure(now.at);
    for (DeviceUse& disk : seen->devices) {
      disk.foreign = foreign_.recent().count >= kForeignMatters.count ? foreign_.share() : 0;
      disk.heard = is_within(heard_, kHeardFor, now.at);
    }
  }
  samples_.push_back(std::move(now));
  while (samples_.size() > 1 && samples_.back().at - samples_[1].at >= kLong)
    samples_.pop_front();
  return seen;
}

void Looks::forget() {
  samples_.clear();
  foreign_ = ForeignIo();
}

std::optional<Observation> Looks::cpu_and_stalls(const Sample& now) const {
  const auto recent = std::find_if(samples_.rbegin(), samples_.rend(),
                                   [&](const Sample& one) { return now.at - one.at >= kShort; });
  if (recent == samples_.rend()) return std::nullopt;
  std::optional<Observation> seen;
  if (now.at - samples_.front().at >= kLong) seen = foreground(samples_.front(), now);
  const Observation fresh = foreground(*recent, now);
  if (fresh.cpu < kNoDoubt) return seen;
  if (!seen) return fresh;
  seen->cpu = fresh.cpu;
  seen->own_cpu = fresh.own_cpu;
  return seen;
}

bool Looks::recording(Instant now) const { return is_within(changed_, kRecordFor, now); }

bool Looks::hint(Instant now) const {
  return foreign_.recent().count >= kForeignMatters.count || waiters_.are_sure(now);
}

}  // namespace lull
