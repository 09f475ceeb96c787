#pragma once

#include "jobs/foreground.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace lull {

// Three ways to know that somebody else uses the disks that our jobs use: by amount, by state and
// by what only durable writes do. None needs an ear (jobs/slice.hpp), and none is sure enough to do
// without one.

/// What others move in a second counts from here on: smaller than anything that a person waits for,
/// larger than what the kernel does unasked.
inline constexpr Bytes kForeignMatters{65'536};

/// Tells foreground I/O from our own by amount. A process's I/O is counted when it is submitted, a
/// device's when it completes, so what a device has read minus what we asked for is the
/// foreground's total less what of ours is still under way: only its running maximum says
/// something, and that never says too much. What a device writes for us comes late, comes with the
/// file system's own records, and comes twice where disks are mirrored: so it counts as others'
/// only while nothing of ours can be on its way.
///
/// What was under way when the looking began would count as somebody else's once it completes. So
/// it begins with the first sample in which the disks are at rest, or after `kWindow` anyhow.
class ForeignIo {
 public:
  /// Takes the next sample. `writing`: write-back of ours may be under way.
  void add(const Sample& sample, bool writing);
  /// Bytes that others moved within the last `kWindow`.
  [[nodiscard]] Bytes recent() const;
  /// All that they moved since the looking began.
  [[nodiscard]] Bytes total() const;
  /// The share of others in all traffic of that time, 0..1.
  [[nodiscard]] double share() const;

  static constexpr Duration kWindow = std::chrono::seconds(1);

 private:
  struct Mark {
    Instant at{0};
    std::int64_t foreign = 0;
    std::uint64_t total = 0;
  };
  std::vector<Mark> marks_;  ///< of the last kWindow, oldest first
  std::int64_t reads_max_ = 0;
  std::int64_t writes_ = 0;
  std::int64_t written_ = 0;      ///< by the disks, at the last sample
  std::optional<Instant> asked_;  ///< of the first sample
  std::optional<Sample> first_;   ///< that counts
};

/// Tells by state that others wait for a disk, long before their amount could: a foreground that
/// our jobs slow down moves little. One look is off by every thread of ours that it catches on its
/// way into or out of a wait, so the looks are summed up until they leave no doubt (CUSUM: Page
/// 1954, Continuous inspection schemes). While our own write-back may be under way nothing is said:
/// the kernel's threads wait for us then.
class Waiters {
 public:
  /// Takes the next sample.
  void add(const Sample& sample);
  /// The last looks speak for it, and not yet enough: the next one should come soon. Not for ever:
  /// what many looks in haste could not decide is left to the usual ones.
  [[nodiscard]] bool are_suspected(Instant now) const;
  /// They left no doubt within the last second.
  [[nodiscard]] bool are_sure(Instant now) const { return now < sure_until_; }
  /// Our jobs may have written until `at`.
  void wrote(Instant at) { last_write_ = at; }
  /// Whether what our jobs wrote may still be on its way to a disk.
  [[nodiscard]] bool are_writing(Instant now) const;

 private:
  static constexpr double kSure = 1.5;  ///< three looks at one that waits all the time
  static constexpr int kMostInHaste = 20;

  double sum_ = 0;
  int undecided_ = 0;  ///< looks in a row
  Instant sure_until_{0};
  Instant last_write_{-1};
  std::optional<Bytes> written_;
};

/// Tells by flushes that somebody makes small writes durable, as databases do: they move little,
/// and while our own write-back may be under way nothing else tells of them. Our jobs may be the
/// ones who do, so this is only a reason to listen. A file system's own commits (ext4's every 5 s,
/// of two flushes) are too rare to count.
class Committers {
 public:
  /// Takes the next sample. `recording`: flushes may be those of lull's own records.
  void add(const Sample& sample, bool recording);
  /// Somebody flushed in three looks within 2 s, in the last 10 s.
  [[nodiscard]] bool are_likely(Instant now) const { return now < likely_until_; }

 private:
  std::optional<std::uint64_t> flushes_;
  std::vector<Instant> seen_;  ///< the last looks that saw some, oldest first
  Instant likely_until_{0};
};

}  // namespace lull
