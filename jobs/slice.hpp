#pragma once

#include "jobs/foreign_io.hpp"

#include <cstdint>
#include <optional>

namespace lull {

// Slice and listen. A disk whose scheduler ignores I/O classes, and write-back on any, cannot be
// told who is more important. So the jobs that use it run for a slice and are frozen; their own
// requests drain; and what the disk still completes in the next few milliseconds is the
// foreground's. Nothing heard: on with a longer slice. Something heard: stay frozen until it has
// been quiet for a while. This knows by cause and not by subtraction, and needs no privilege but to
// stop one's own processes.

/// What is read before each step: sums over the disks that are listened to.
struct SliceInput {
  Instant at{0};
  bool wanted = false;     ///< a run does I/O
  bool hint = false;       ///< somebody else does I/O: by amount (ForeignIo) or waiting (Waiters)
  bool commits = false;    ///< somebody makes small writes durable, perhaps our runs (Committers)
  Bytes written{};         ///< by our runs so far
  Bytes foreign{};         ///< what others are known to have moved so far (ForeignIo)
  bool frozen = false;     ///< the kernel says that all of these runs stand still
  bool writing = false;    ///< our own write-back may be under way: completed writes prove nothing
  bool recording = false;  ///< lull may be writing to its own records: nor do flushes
  bool mixed = false;      ///< runs that we do not hold do I/O: only a hint tells of the foreground
  /// Requests that the foreground's own cgroups have made. Where they are known there is nothing to
  /// stop and listen for.
  std::optional<std::uint64_t> foreground;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t flushes = 0;
  std::uint64_t in_flight = 0;
};

/// Where a set of runs stands.
struct SliceState {
  enum class Phase { running, draining, glancing, listening, holding };
  Phase phase = Phase::running;
  Instant since{0};        ///< the phase's beginning
  Duration slice{0};       ///< the length of this one
  Duration quiet{0};       ///< how long it must be quiet before a hold ends
  Instant last_heard{-1};  ///< -1: never
  Instant last_hint{-1};
  Instant resumed{-1};  ///< the end of the last hold
  Instant last_ear{-1};
  Duration drained{0};  ///< how long the last drain took
  Instant held{0};      ///< since when nothing of ours has run
  Duration tail{0};     ///< how long write-back of the last slice kept the disk busy
  int deaf = 0;         ///< long ears in a row that a hint was wrong
  int growing = 0;      ///< glances in a row at which others had moved more
  Bytes glanced{};      ///< what they had moved at the last
  Bytes foreign{};      ///< what others had moved when the hint was last new
  Bytes written{};      ///< what our runs had written when this slice began
  bool hinted = false;  ///< the last step was told so, by each kind of hint
  bool commits = false;
  SliceInput baseline;
};

struct SliceStep {
  SliceState next;
  bool freeze = false;  ///< what the runs shall be until the next step
  bool heard = false;   ///< this step heard the foreground
  bool glance = false;  ///< nothing of ours is under way: first take a sample, then step again
  Duration again{0};    ///< step again after this long
};

/// The next step. Slices begin with 60 ms and double to 200 ms while nothing is heard; they end on
/// multiples of their length, so that several lulls on one machine listen at the same moment. While
/// nobody was heard or hinted at for 10 s, they last about 300 ms. After each there is a glance: as
/// soon as all is done that was under way, the amounts of that moment tell exactly whether somebody
/// else did I/O, and the runs go on if not. An ear now and then, and a long one at a hint, hear
/// what amounts do not tell. With nobody there all this costs less than 1 % of the time. A hold
/// gives way to one short slice every 3 s, or as much rarer as that slice's write-back takes long.
/// Where the foreground's requests are known, the runs stop for these alone.
SliceStep step(const SliceState& state, const SliceInput& input);

/// Whether somebody else was heard or hinted at lately.
bool is_watchful(const SliceState& state, Instant now);

}  // namespace lull
