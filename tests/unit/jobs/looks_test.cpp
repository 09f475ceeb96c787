#include "jobs/looks.hpp"

#include "tests/support/catch.hpp"

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A machine with two CPUs and one disk, looked at every so often.
struct Machine {
  Sample sample;
  Looks looks;
  std::optional<Observation> seen;

  Machine() {
    sample.at = seconds(100);
    sample.cpus = 2;
    sample.disks = {{.name = "sda"}};
    seen = looks.add(sample);
  }
  /// Goes on for `span`, in which others use `cpus` and, of the disk, `foreign` bytes.
  void step(Duration span, double cpus = 0, std::uint64_t foreign = 0) {
    sample.at += span;
    sample.idle += span * 2 - std::chrono::duration_cast<Duration>(span * cpus);
    sample.disks[0].read.count += foreign;
    if (foreign > 0) sample.disks[0].busy += span;
    seen = looks.add(sample);
  }
};

TEST_CASE("looks: two samples too close together say nothing") {
  Machine machine;
  CHECK_FALSE(machine.seen);
  machine.step(milliseconds(10), 2);
  CHECK_FALSE(machine.seen);
}

TEST_CASE("looks: a short look counts where it leaves no doubt, else only the longer one") {
  Machine loud;
  loud.step(milliseconds(100), 1);
  REQUIRE(loud.seen);
  CHECK(loud.seen->cpu == Approx(1));

  Machine soft;  // half a CPU for 100 ms may be five ticks that came together
  soft.step(milliseconds(100), 0.5);
  CHECK_FALSE(soft.seen);
  soft.step(milliseconds(100), 0);
  soft.step(milliseconds(100), 0);
  REQUIRE(soft.seen);
  CHECK(soft.seen->cpu == Approx(0.5 / 3));
}

TEST_CASE("looks: after a run came or went, only what comes after it is compared") {
  Machine machine;
  machine.step(milliseconds(300));
  machine.looks.forget();
  machine.step(milliseconds(100), 2);
  CHECK_FALSE(machine.seen);
  machine.step(milliseconds(100), 2);
  REQUIRE(machine.seen);
  CHECK(machine.seen->cpu == Approx(2));
}

TEST_CASE("looks: what a run that ended did last is not taken for somebody else's") {
  Machine machine;
  machine.step(milliseconds(300), 0, 100'000);
  REQUIRE(machine.looks.hint(machine.sample.at));
  machine.looks.forget();
  machine.step(milliseconds(100), 0, 5'000'000);
  CHECK_FALSE(machine.looks.hint(machine.sample.at));
  machine.step(milliseconds(100), 0, 100'000);
  CHECK(machine.looks.hint(machine.sample.at));
}

TEST_CASE("looks: who waits beside us is believed, but not while we record a change") {
  Machine machine;
  machine.step(milliseconds(300));
  machine.sample.waiting = 1;
  machine.looks.changed(machine.sample.at);
  for (int i = 0; i < 25; ++i)
    machine.step(milliseconds(10));
  REQUIRE(machine.seen);
  CHECK_FALSE(machine.seen->others_wait);
  for (int i = 0; i < 10; ++i)
    machine.step(milliseconds(10));
  REQUIRE(machine.seen);
  CHECK(machine.seen->others_wait);
  CHECK(machine.looks.hint(machine.sample.at));
}

TEST_CASE("looks: a little I/O of others is what the kernel does unasked") {
  Machine machine;
  machine.step(milliseconds(300), 0, 40'000);
  REQUIRE(machine.seen);
  CHECK(machine.seen->devices.at(0).foreign == 0);
  CHECK_FALSE(machine.looks.hint(machine.sample.at));
  machine.step(milliseconds(300), 0, 40'000);
  CHECK(machine.seen->devices.at(0).foreign == Approx(1));
  CHECK(machine.looks.hint(machine.sample.at));
}

TEST_CASE("looks: what an ear heard counts for half a second") {
  Machine machine;
  machine.step(milliseconds(300), 0, 1);
  CHECK_FALSE(machine.seen->devices.at(0).heard);
  machine.looks.heard(machine.sample.at);
  machine.step(milliseconds(300), 0, 1);
  CHECK(machine.seen->devices.at(0).heard);
  machine.step(milliseconds(300), 0, 1);
  CHECK_FALSE(machine.seen->devices.at(0).heard);
}

}  // namespace
}  // namespace lull
