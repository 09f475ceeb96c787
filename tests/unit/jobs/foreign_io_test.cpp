#include "jobs/foreign_io.hpp"

#include "tests/support/catch.hpp"

#include <vector>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMB = 1'000'000;

/// A machine with one disk, on which a job and a foreground do I/O.
struct Disk {
  Sample sample;
  ForeignIo foreign;

  Disk() {
    sample.disks = {{.name = "sda"}};
    foreign.add(sample, false);
  }
  void step(std::uint64_t own_read, std::uint64_t device_read, std::uint64_t own_written = 0,
            std::uint64_t device_written = 0, bool writing = false) {
    sample.at += milliseconds(100);
    sample.own_read.count += own_read;
    sample.own_written.count += own_written;
    sample.disks[0].read.count += device_read;
    sample.disks[0].written.count += device_written;
    foreign.add(sample, writing);
  }
};

TEST_CASE("foreign I/O: our own, however much is under way, is nobody else's") {
  Disk disk;
  disk.step(8 * kMB, 0);  // submitted, not completed
  for (int i = 0; i < 50; ++i)
    disk.step(10 * kMB, i % 2 == 0 ? 14 * kMB : 6 * kMB);
  CHECK(disk.foreign.recent().count == 0);
  CHECK(disk.foreign.share() == 0);
}

TEST_CASE("foreign I/O: a disk that is taken out takes no knowledge of the others along") {
  Disk disk;
  disk.sample.disks.push_back({.name = "sdb"});
  disk.sample.disks[1].read.count = disk.sample.disks[1].written.count = 1000 * kMB;
  for (int i = 0; i < 10; ++i)
    disk.step(10 * kMB, 10 * kMB);
  disk.sample.disks.pop_back();
  for (int i = 0; i < 20; ++i) {
    disk.step(10 * kMB, 10 * kMB);
    CHECK(disk.foreign.recent().count == 0);
  }
  disk.step(10 * kMB, 11 * kMB, 0, kMB);
  CHECK(disk.foreign.recent().count == 2 * kMB);
}

TEST_CASE("foreign I/O: what was under way when the looking began is nobody's") {
  Sample sample;
  sample.disks = {{.name = "sda", .in_flight = 3}};
  ForeignIo foreign;
  foreign.add(sample, false);  // 10 MB of ours were counted before, and are not completed
  const auto step = [&](std::uint64_t own, std::uint64_t device, std::uint64_t in_flight) {
    sample.at += milliseconds(100);
    sample.own_read.count += own;
    sample.disks[0].read.count += device;
    sample.disks[0].in_flight = in_flight;
    foreign.add(sample, false);
  };
  step(10 * kMB, 12 * kMB, 2);
  step(2 * kMB, 10 * kMB, 0);
  for (int i = 0; i < 20; ++i)
    step(10 * kMB, 10 * kMB, 2);
  CHECK(foreign.recent().count == 0);
  for (int i = 0; i < 20; ++i)  // and somebody's, on a disk that is never at rest
    step(10 * kMB, 11 * kMB, 2);
  CHECK(foreign.recent().count == 10 * kMB);
}

TEST_CASE("foreign I/O: a disk that is never at rest is waited for no longer than a second") {
  Sample sample;
  sample.disks = {{.name = "sda", .in_flight = 1}};
  ForeignIo foreign;
  for (int i = 0; i <= 20; ++i) {
    foreign.add(sample, false);
    sample.at += milliseconds(100);
    sample.disks[0].read.count += kMB;
  }
  CHECK(foreign.recent().count == 10 * kMB);
}

TEST_CASE("foreign I/O: a foreground beside us is seen, much or little") {
  Disk disk;
  for (int i = 0; i < 20; ++i)
    disk.step(10 * kMB, 10 * kMB);
  for (int i = 0; i < 20; ++i)
    disk.step(10 * kMB, 10 * kMB + 13'000);
  CHECK(disk.foreign.recent().count == 130'000U);
  for (int i = 0; i < 20; ++i)
    disk.step(5 * kMB, 10 * kMB);
  CHECK(disk.foreign.share() == Approx(0.5));
}

TEST_CASE(
    "foreign I/O: what is written while write-back of ours may be under way is nobody else's") {
  Disk disk;
  for (int i = 0; i < 20; ++i)  // twice what we wrote, as a mirror does
    disk.step(0, 0, 5 * kMB, 10 * kMB, true);
  CHECK(disk.foreign.recent().count == 0);
  for (int i = 0; i < 20; ++i)
    disk.step(0, 0, 0, 6 * kMB, false);
  CHECK(disk.foreign.recent().count == 60 * kMB);
}

/// Looks at `waiting` threads of others, one each 10 ms; writes what `written` says.
Waiters after(const std::vector<double>& looks, std::uint64_t written = 0) {
  Waiters waiters;
  Sample sample;
  sample.at = seconds(1);
  for (const double look : looks) {
    sample.at += milliseconds(10);
    sample.waiting = look;
    waiters.add(sample);
    sample.own_written.count += written;
  }
  return waiters;
}

TEST_CASE("waiters: three looks at one thread that waits all the time leave no doubt") {
  CHECK(after({1}).are_suspected(seconds(1)));
  CHECK_FALSE(after({1, 1}).are_sure(seconds(1)));
  CHECK(after({1, 1, 1}).are_sure(seconds(1)));
  CHECK_FALSE(after({1, 1, 1}).are_sure(seconds(3)));
  CHECK_FALSE(after({1, 1, 1, 0}).are_suspected(seconds(1)));  // what is sure needs no haste
}

TEST_CASE("waiters: no single look leaves no doubt, however many it counts") {
  CHECK_FALSE(after({5}).are_sure(seconds(1)));
  CHECK_FALSE(after({5, 0, 5, 0, 5, 0}).are_sure(seconds(1)));
}

TEST_CASE("waiters: looks that are off by chance come to nothing") {
  CHECK_FALSE(after({0, 0, 0}).are_suspected(seconds(1)));
  CHECK_FALSE(after({1, -1, 0, 0.5, -0.5, 1, 0, -1, 1, 0}).are_sure(seconds(1)));
  CHECK_FALSE(after({0.5, 0.5, 0.5, 0.5, 0.5}).are_suspected(seconds(1)));
}

TEST_CASE("waiters: what many looks in haste cannot decide is left to the usual ones") {
  std::vector<double> looks{1};
  looks.resize(10, 0.5);
  CHECK(after(looks).are_suspected(seconds(1)));
  looks.resize(40, 0.5);
  CHECK_FALSE(after(looks).are_suspected(seconds(1)));
  looks.insert(looks.end(), {1, 1});
  CHECK(after(looks).are_sure(seconds(1)));
}

TEST_CASE("waiters: while our own writes may be under way nothing is said") {
  CHECK_FALSE(after({0, 1, 1, 1, 1, 1, 1}, 4096).are_sure(seconds(1)));
}

/// What is thought after ten looks a second for so long, with two flushes every so often.
Committers flushed(Duration every, Duration span, bool recording = false) {
  Committers committers;
  Sample sample;
  sample.disks = {{.name = "sda", .flushes = 5}};
  for (sample.at = seconds(100); sample.at <= seconds(100) + span; sample.at += milliseconds(100)) {
    if (sample.at % every == Duration(0)) sample.disks[0].flushes += 2;
    committers.add(sample, recording);
  }
  return committers;
}

TEST_CASE("committers: a few flushes a second are somebody's durable writes") {
  const Committers often = flushed(milliseconds(500), seconds(2));
  CHECK(often.are_likely(seconds(102)));
  CHECK(often.are_likely(seconds(111)));
  CHECK_FALSE(often.are_likely(seconds(113)));
}

TEST_CASE("committers: a file system that commits now and then is nobody") {
  CHECK_FALSE(flushed(seconds(5), seconds(60)).are_likely(seconds(160)));
  CHECK_FALSE(flushed(seconds(2), seconds(60)).are_likely(seconds(160)));
}

TEST_CASE("committers: while lull records something nothing is said") {
  CHECK_FALSE(flushed(milliseconds(200), seconds(10), true).are_likely(seconds(110)));
}

}  // namespace
}  // namespace lull
