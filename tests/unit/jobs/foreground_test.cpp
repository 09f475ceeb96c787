#include "jobs/foreground.hpp"

#include "tests/support/catch.hpp"

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Sample at(Instant when) {
  Sample sample;
  sample.at = when;
  sample.cpus = 2;
  return sample;
}

TEST_CASE("foreground: CPU is all that was not idle and not ours") {
  const Sample before = at(seconds(10));
  Sample now = at(seconds(10) + milliseconds(100));
  now.idle = milliseconds(20);
  now.own_cpu = milliseconds(110);
  const Observation seen = foreground(before, now);
  CHECK(seen.cpu == Approx(0.7));
  CHECK(seen.own_cpu == Approx(1.1));
}

TEST_CASE("foreground: what runs outside of the group that ranks our jobs is unranked") {
  Sample before = at(seconds(10));
  before.unranked = Unranked{1, seconds(3)};
  Sample now = at(seconds(10) + milliseconds(100));
  now.own_cpu = milliseconds(50);
  now.unranked = Unranked{1, seconds(3) + milliseconds(110)};
  CHECK(foreground(before, now).unranked_cpu == Approx(1.1));  // of 1.5
  now.unranked->cpu = seconds(3) + milliseconds(160);          // a clock tick more than there was
  CHECK(foreground(before, now).unranked_cpu == Approx(1.5));
  now.unranked->cpu = seconds(2);
  CHECK(foreground(before, now).unranked_cpu == 0);
  now.unranked->group = 2;  // nothing is known of what was there before
  CHECK(foreground(before, now).unranked_cpu == 0);
  now.unranked.reset();
  CHECK(foreground(before, now).unranked_cpu == 0);
}

TEST_CASE("foreground: stolen time is nobody's, and rounding never makes a negative foreground") {
  const Sample before = at(seconds(10));
  Sample now = at(seconds(10) + milliseconds(100));
  now.stolen = milliseconds(60);
  now.own_cpu = milliseconds(150);
  const Observation seen = foreground(before, now);
  CHECK(seen.cpu == 0);
}

TEST_CASE("foreground: what our starving jobs wait is not the foreground's stall") {
  Sample before = at(seconds(10));
  before.all = before.own = Stalls{};
  Sample now = at(seconds(11));
  now.all = Stalls{.cpu = milliseconds(850)};
  now.own = Stalls{.cpu = milliseconds(850)};
  CHECK(foreground(before, now).cpu_stall == 0);
  now.own = Stalls{.cpu = milliseconds(450)};
  CHECK(foreground(before, now).cpu_stall == 0);  // our jobs did not run: it waits for itself
  now.own_cpu = milliseconds(700);
  CHECK(foreground(before, now).cpu_stall == Approx(0.4));
  now.own.reset();  // not known apart: nothing is certain
  CHECK(foreground(before, now).cpu_stall == 0);
}

TEST_CASE(
    "foreground: what our jobs wait for at a limit of their own is not the machine's memory") {
  Sample before = at(seconds(10));
  before.all = Stalls{};
  Sample now = at(seconds(11));
  now.all = Stalls{.memory = milliseconds(300)};
  CHECK(foreground(before, now).memory_stall == Approx(0.3));
  now.own_memory_stall = milliseconds(250);  // though runs of others keep `own` from being known
  CHECK(foreground(before, now).memory_stall == Approx(0.05));
}

TEST_CASE("foreground: its own cgroups' stall counts where that of all our runs is not known") {
  Sample before = at(seconds(10));
  before.all = Stalls{};
  before.foreground_stall = seconds(5);
  Sample now = at(seconds(11));
  now.all = Stalls{.cpu = milliseconds(900)};
  now.foreground_stall = seconds(5) + milliseconds(200);
  now.own_cpu = milliseconds(700);
  CHECK(foreground(before, now).cpu_stall == Approx(0.2));
  now.own_cpu = milliseconds(50);  // it did not wait longer for us than we ran
  CHECK(foreground(before, now).cpu_stall == Approx(0.05));
  now.own_cpu = milliseconds(700);
  before.own = Stalls{};
  now.own = Stalls{.cpu = milliseconds(870)};
  CHECK(foreground(before, now).cpu_stall == Approx(0.03));
}

}  // namespace
}  // namespace lull
