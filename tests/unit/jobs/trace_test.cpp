// Recorded machines, replayed: what the loop would have seen and decided there. Each trace was made
// by tests/fixtures/traces/record.sh, with real programs as the job and as the foreground.
#include "tests/support/trace.hpp"

#include "jobs/decide.hpp"
#include "jobs/looks.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"

#include <vector>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using tests::TraceLine;

/// What the loop would have made of a trace.
struct Replay {
  explicit Replay(const std::string& name) {
    PrioritySpec priority;
    priority.levels = levels_of(Policy::throttle);
    const Capabilities can{CpuKnob::cgroup, -20, true};
    Looks looks;
    std::optional<PolicyState> state;
    std::optional<Instant> last_io;
    Sample before;
    for (const TraceLine& line : tests::read_trace(tests::fixture("traces/" + name))) {
      const Instant at = line.sample.at;
      if (!state) state = first_state(at);
      if (line.sample.own_read != before.own_read || line.sample.own_written != before.own_written)
        last_io = at;
      before = line.sample;
      const auto seen = looks.add(line.sample);
      note_foreground(line.foreground, at);
      if (!seen) continue;
      const bool uses_disk = last_io && at - *last_io < seconds(10);
      const Decision decision =
          decide(priority, can, ForegroundSettings(), {uses_disk, false}, *state, *seen);
      if (decision.next.state >= Foreground::busy && state->state < Foreground::busy) {
        yielded.push_back(at);
        why.push_back(decision.reason);
        looks.changed(at);
      } else if (decision.next.state < Foreground::busy && state->state >= Foreground::busy) {
        came_back.push_back(at);
      }
      state = decision.next;
    }
  }

  std::optional<Instant> onset;  ///< of the foreground
  std::optional<Instant> end;
  std::vector<Instant> yielded;
  std::vector<Instant> came_back;
  std::vector<std::string> why;

 private:
  void note_foreground(bool on, Instant at) {
    if (on && !onset) onset = at;
    if (!on && onset && !end) end = at;
  }
};

TEST_CASE("trace: a job yields once when the foreground comes, and comes back once after it went") {
  const auto* name = GENERATE("compile-beside-spin.trace", "grep-beside-checksums.trace",
                              "grep-beside-restic.trace");
  CAPTURE(name);
  const Replay replay(name);
  REQUIRE(replay.onset);
  REQUIRE(replay.end);
  CAPTURE(replay.why);
  REQUIRE(replay.yielded.size() == 1);
  CHECK(replay.yielded.front() >= *replay.onset);
  CHECK(replay.yielded.front() - *replay.onset <= milliseconds(500));
  REQUIRE(replay.came_back.size() == 1);
  CHECK(replay.came_back.front() - *replay.end >= seconds(2));
  CHECK(replay.came_back.front() - *replay.end <= seconds(6));
}

TEST_CASE("trace: a job that has the machine to itself is nobody's foreground") {
  const auto* name = GENERATE("restic-alone.trace", "rsync-alone.trace", "checksums-alone.trace");
  CAPTURE(name);
  const Replay replay(name);
  CAPTURE(replay.why);
  CHECK(replay.yielded.empty());
}

}  // namespace
}  // namespace lull
