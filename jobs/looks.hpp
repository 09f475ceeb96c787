#pragma once

#include "jobs/foreground.hpp"
#include "jobs/foreign_io.hpp"

#include <deque>
#include <optional>

namespace lull {

/// Makes observations out of samples as they come, and of what an ear on the disks heard
/// (jobs/slice.hpp). What the kernel counts in ticks of 10 ms is blunt over a short time, so a
/// short look counts where it leaves no doubt, and else the longer one.
class Looks {
 public:
  /// Takes the next sample; nothing when there is too little before it to say anything.
  std::optional<Observation> add(Sample now);
  /// Forgets what was used: a run came or went, so that samples before and after do not compare.
  /// Who waits or was heard is known all the same.
  void forget();
  /// A run was changed at `at`. What we record of that takes a while on a slow disk, where we and
  /// the file system's threads then wait as a foreground would.
  void changed(Instant at) { changed_ = at; }
  /// Our jobs may have written until `at` without our knowing.
  void wrote(Instant at) { waiters_.wrote(at); }
  /// An ear heard somebody on a disk at `at`.
  void heard(Instant at) { heard_ = at; }

  /// Somebody else does I/O: by its amount, or by those who wait for it.
  [[nodiscard]] bool hint(Instant now) const;
  /// Somebody makes small writes durable: others, or our jobs themselves.
  [[nodiscard]] bool commits(Instant now) const { return committers_.are_likely(now); }
  /// What others are known to have moved so far; begins anew where `forget` does.
  [[nodiscard]] Bytes foreign() const { return foreign_.total(); }
  /// What our jobs have written so far.
  [[nodiscard]] Bytes own_written() const { return own_written_; }
  /// Our own write-back may be under way.
  [[nodiscard]] bool writing(Instant now) const { return waiters_.are_writing(now); }
  /// What we record of a change may be under way.
  [[nodiscard]] bool recording(Instant now) const;
  /// The next look should come soon.
  [[nodiscard]] bool suspects(Instant now) const { return waiters_.are_suspected(now); }

 private:
  [[nodiscard]] std::optional<Observation> cpu_and_stalls(const Sample& now) const;

  std::deque<Sample> samples_;  ///< oldest first
  ForeignIo foreign_;
  Waiters waiters_;
  Committers committers_;
  Bytes own_written_{};
  Instant changed_{-1};  ///< -1: never
  Instant heard_{-1};
};

}  // namespace lull
