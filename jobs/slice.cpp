#include "jobs/slice.hpp"

#include <algorithm>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Phase = SliceState::Phase;

constexpr Duration kShortest = milliseconds(60);
constexpr Duration kLongest = milliseconds(200);
constexpr Duration kWatch = seconds(10);
/// While nobody else seems to be there: so many times as long as a glance took until the next.
constexpr int kGlancePart = 150;
constexpr Duration kGlanceEvery = milliseconds(300);
constexpr Duration kGlanceRarest = 8 * kGlanceEvery;
/// Between two ears then, which hear what amounts do not tell.
constexpr Duration kEarEvery = seconds(4);
/// And while somebody may be there.
constexpr Duration kEarOften = seconds(1);
constexpr Duration kEar = milliseconds(8);
/// Longer than the gaps of a foreground that reads now and then.
constexpr Duration kLongEar = milliseconds(64);
constexpr int kDeaf = 2;
constexpr Duration kDrainPoll = milliseconds(1);
/// What is under way on a disk is done by then, or it is the foreground's.
constexpr Duration kDrainFrozen = milliseconds(15);
/// A run that waits for its own write-back (fsync) stands still only when that is done.
constexpr Duration kDrainBusy = milliseconds(60);
constexpr Duration kHoldPoll = milliseconds(25);
/// As XNU's tiers have it: 25 ms to 500 ms after the last foreground request.
constexpr Duration kQuiet = milliseconds(80);
constexpr Duration kLongestQuiet = milliseconds(500);
/// Heard again this soon, the quiet was a gap.
constexpr Duration kGap = seconds(1);
constexpr Duration kFloorEvery = seconds(3);
constexpr Duration kFloorRarest = seconds(30);
constexpr int kFloorPart = 30;

/// Reason to listen for somebody else. What moved little and once was not the foreground.
bool is_hinted(const SliceState& state, const SliceInput& input) {
  return input.hint || input.commits || state.growing >= 2;
}

bool wants_long_ear(const SliceState& state, const SliceInput& input) {
  return is_hinted(state, input) && state.deaf < kDeaf;
}

/// None at all, so that it remains a glance, where nothing speaks for somebody else and all that
/// was under way is done: what the amounts then tell is exact.
Duration wanted_ear(const SliceState& state, const SliceInput& input) {
  if (wants_long_ear(state, input)) return kLongEar;
  const bool watchful = is_watchful(state, input.at);
  const bool at_rest = state.baseline.frozen && state.baseline.in_flight == 0;
  const bool tells = at_rest && !(watchful && input.writing);
  const bool due = input.at - state.last_ear >= (watchful ? kEarOften : kEarEvery);
  return tells && !due ? Duration(0) : kEar;
}

/// A disk that was taken out takes its counts along.
std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now > before ? now - before : 0;
}

/// A hint of which no ear has told yet what it is worth: it was not there just now, or others have
/// moved more since.
bool is_news(const SliceState& state, const SliceInput& input) {
  const bool began_anew = input.foreign.count < state.foreign.count;
  return (input.hint && !state.hinted) || (input.commits && !state.commits) || began_anew ||
         input.foreign.count - state.foreign.count >= kForeignMatters.count;
}

/// One request is enough where nothing of ours can be under way any more.
bool heard(const SliceInput& before, const SliceInput& now) {
  if (now.mixed) return now.hint;
  if (before.foreground && now.foreground) {
    return !now.recording && *now.foreground > *before.foreground;
  }
  const std::uint64_t enough = before.frozen && before.in_flight == 0 ? 1 : 2;
  if (grown(before.reads, now.reads) >= enough) return true;
  if (now.recording) return false;
  // A run that waits for a flush of its own does not stand still.
  return (before.frozen && grown(before.flushes, now.flushes) > 0) ||
         (!now.writing && grown(before.writes, now.writes) >= 2);
}

void enter(SliceState& state, Phase phase, Instant now) {
  state.phase = phase;
  state.since = now;
}

/// Until the next multiple of the slice's length that leaves at least half of it.
Duration until_boundary(const SliceState& state, Duration length) {
  const auto grid = length.count();
  const auto earliest = state.since.count() + grid / 2;
  return Duration((earliest + grid - 1) / grid * grid) - state.since;
}

/// Doubled, and not stretched: the glances of several lulls shall meet.
Duration until_glance(const SliceState& state) {
  Duration length = kGlanceEvery;
  while (length < kGlanceRarest && length < state.drained * kGlancePart)
    length *= 2;
  return length;
}

SliceStep run(SliceState state, const SliceInput& input) {
  const bool watchful = is_watchful(state, input.at);
  if (state.slice.count() == 0) state.slice = kShortest;
  const Duration length = until_boundary(state, watchful ? state.slice : until_glance(state));
  const Duration gone = input.at - state.since;
  if (gone < length)
    return {.next = state, .again = std::min(length - gone, milliseconds(100) + kEar)};
  enter(state, Phase::draining, input.at);
  return {.next = state, .freeze = true, .again = kDrainPoll};
}

SliceStep drain(SliceState state, const SliceInput& input) {
  const Duration gone = input.at - state.since;
  const bool drained = input.frozen && input.in_flight == 0;
  if (!drained && gone < (input.frozen ? kDrainFrozen : kDrainBusy)) {
    return {.next = state, .freeze = true, .again = kDrainPoll};
  }
  enter(state, drained ? Phase::glancing : Phase::listening, input.at);
  state.drained = gone;
  if (!drained) state.growing = 0;
  state.baseline = input;
  return {.next = state, .freeze = true, .glance = drained, .again = drained ? Duration(0) : kEar};
}

SliceStep resume(SliceState state, const SliceInput& input) {
  enter(state, Phase::running, input.at);
  state.written = input.written;
  return {.next = state, .again = until_boundary(state, state.slice)};
}

/// A gap that was taken for quiet makes the next quiet longer.
SliceStep hold(SliceState state, const SliceInput& input) {
  const bool was_gap = is_within(state.resumed, kGap, input.at);
  state.quiet = was_gap ? std::min(state.quiet * 2, kLongestQuiet) : kQuiet;
  enter(state, Phase::holding, input.at);
  state.last_heard = state.held = input.at;
  state.tail = Duration(0);
  state.deaf = 0;
  state.baseline = input;
  return {.next = state, .freeze = true, .heard = true, .again = kHoldPoll};
}

/// As often as a hold is looked at while somebody may be there.
SliceStep run_and_watch(SliceState state, const SliceInput& input) {
  const Duration gone = input.at - state.since;
  if (gone < kShortest) return {.next = state, .again = kShortest - gone};
  if (state.baseline.foreground && heard(state.baseline, input)) return hold(state, input);
  state.baseline = input;
  return {.next = state, .again = is_watchful(state, input.at) ? kHoldPoll : milliseconds(100)};
}

SliceStep listen(SliceState state, const SliceInput& input) {
  if (heard(state.baseline, input)) return hold(state, input);
  const Duration ear = input.at - state.since;
  const Duration wanted = wanted_ear(state, input);
  if (ear < wanted)
    return {.next = state, .freeze = true, .again = std::min(wanted - ear, 2 * kEar)};
  if (wanted > Duration(0)) state.last_ear = input.at;
  if (wanted == kLongEar) ++state.deaf;
  if (!is_hinted(state, input)) state.deaf = 0;
  // Long slices are for those who have listened for a while.
  if (!is_watchful(state, input.at)) {
    state.slice = kShortest;
  } else if (state.growing == 0) {
    state.slice = std::min(state.slice * 2, kLongest);
  }
  return resume(state, input);
}

/// Others have moved more at two glances in a row: that is a hint.
SliceStep glance(SliceState state, const SliceInput& input) {
  const bool more = grown(state.glanced.count, input.foreign.count) > 0;
  state.glanced = input.foreign;
  state.growing = more ? state.growing + 1 : 0;
  if (state.growing == 2) state.deaf = 0;
  state.phase = Phase::listening;
  return listen(state, input);
}

Duration floor_after(const SliceState& state) {
  return std::clamp(state.tail * kFloorPart, kFloorEvery, kFloorRarest);
}

/// How long a slow disk takes for what the last slice wrote. Beyond that others write.
Duration write_back_time(const SliceState& state, const SliceInput& input) {
  constexpr std::uint64_t kSlowest = 10;  // bytes per microsecond, so MB/s
  return std::chrono::microseconds(grown(state.written.count, input.written.count) / kSlowest);
}

SliceStep wait_for_quiet(SliceState state, const SliceInput& input) {
  const bool again = heard(state.baseline, input);
  if (input.writing && input.writes != state.baseline.writes) {
    state.tail = std::min(input.at - state.held, write_back_time(state, input));
  }
  state.baseline = input;
  if (again) state.last_heard = input.at;
  // While flushes prove nothing, neither does their absence.
  const bool quiet = !input.recording && input.at - state.last_heard >= state.quiet;
  const bool floor = input.at - state.held >= floor_after(state);
  if (!quiet && !floor) return {.next = state, .freeze = true, .heard = again, .again = kHoldPoll};
  state.slice = kShortest;
  state.resumed = quiet ? input.at : Instant(-1);  // a slice on the floor says nothing of gaps
  if (quiet && !input.commits) {  // which was a long ear, and heard nobody any more
    state.deaf = kDeaf;
    state.foreign = state.glanced = input.foreign;
    state.growing = 0;
  }
  return resume(state, input);
}

}  // namespace

bool is_watchful(const SliceState& state, Instant now) {
  return state.growing > 0 || is_within(state.last_heard, kWatch, now) ||
         (is_within(state.last_hint, kWatch, now) && state.deaf < kDeaf);
}

SliceStep step(const SliceState& state, const SliceInput& input) {
  SliceState now = state;
  if (is_hinted(now, input)) now.last_hint = input.at;
  if (is_news(now, input)) {
    now.deaf = 0;
    now.foreign = input.foreign;
  }
  now.hinted = input.hint;
  now.commits = input.commits;
  if (!input.wanted) {
    enter(now, Phase::running, input.at);
    now.slice = kShortest;
    now.growing = 0;
    return {.next = now, .again = milliseconds(500)};
  }
  switch (now.phase) {
    case Phase::running:
      return input.foreground ? run_and_watch(now, input) : run(now, input);
    case Phase::draining:
      return drain(now, input);
    case Phase::glancing:
      return glance(now, input);
    case Phase::listening:
      return listen(now, input);
    case Phase::holding:
      return wait_for_quiet(now, input);
  }
  return run(now, input);
}

}  // namespace lull
