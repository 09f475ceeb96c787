#include "runner/os/kernel_stats.hpp"

#include "tests/support/catch.hpp"

namespace lull::os {
namespace {

using std::chrono::milliseconds;

TEST_CASE(
    "kernel stats: idle is idle and waiting, summed by the kernel, and blocked are everybody's") {
  const auto times = parse_cpu_times(
      "cpu  100 0 50 900 30 0 5 7 0 0\n"
      "cpu0 50 0 25 450 15 0 5 3 0 0\n"
      "cpu1 50 0 25 450 15 0 0 4 0 0\n"
      "intr 12345 0 0\n"
      "procs_running 2\n"
      "procs_blocked 3\n");
  REQUIRE(times.has_value());
  CHECK(times->cpus == 2);
  CHECK(times->idle == milliseconds(9300));
  CHECK(times->stolen == milliseconds(70));
  CHECK(times->blocked == 3);
}

TEST_CASE("kernel stats: a /proc/stat that is none is refused, not read as zero") {
  CHECK_FALSE(parse_cpu_times("").has_value());
  CHECK_FALSE(parse_cpu_times("cpu 1 2 3\ncpu0 1 2 3\n").has_value());
  CHECK_FALSE(parse_cpu_times("cpu 1 2 3 x 5 6 7 8\ncpu0 1\n").has_value());
  CHECK_FALSE(parse_cpu_times("cpu 1 2 3 4 5 6 7 8\n").has_value());  // for no CPU at all
}

TEST_CASE("kernel stats: a disk's of every age, from before discards to flushes") {
  const auto old = parse_disk_counters("  10  1  80  5  20  2  160  9  3  700  14\n");
  REQUIRE(old.has_value());
  CHECK(old.value() == DeviceCounters{"", 10, 20, 0, {40960}, {81920}, 3, milliseconds(700)});
  const auto fresh = parse_disk_counters("10 1 80 5 20 2 160 9 3 700 14 1 0 8 1 42 6\n");
  REQUIRE(fresh.has_value());
  CHECK(fresh->flushes == 42);
  CHECK_FALSE(parse_disk_counters("").has_value());
  CHECK_FALSE(parse_disk_counters("10 1 80 5\n").has_value());
  CHECK_FALSE(parse_disk_counters("10 1 80 5 20 2 -160 9 3 700 14\n").has_value());
}

TEST_CASE("kernel stats: a stall is the total of \"some\"") {
  CHECK(parse_stall("some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\n"
                    "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n")
            .value() == Duration(1234));
  CHECK_FALSE(parse_stall("full avg10=0.00 total=99\n").has_value());
  CHECK_FALSE(parse_stall("some avg10=0.00\n").has_value());
}

TEST_CASE("kernel stats: what was dropped before write-back was not written") {
  const auto io = parse_process_io(
      "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\n"
      "read_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n");
  REQUIRE(io.has_value());
  CHECK(io->read.count == 4096);
  CHECK(io->written.count == 4096);
  // Pages that another process dirtied may be dropped by this one: never below nothing.
  CHECK(parse_process_io("read_bytes: 0\nwrite_bytes: 1\ncancelled_write_bytes: 9\n")
            .value()
            .written.count == 0);
  CHECK_FALSE(parse_process_io("rchar: 1\n").has_value());
}

TEST_CASE("kernel stats: a cgroup's requests are those of the disks that count") {
  const char* text =
      "254:0 rbytes=4096 wbytes=8192 rios=3 wios=4 dbytes=0 dios=9\n"
      "253:0 rbytes=4096 wbytes=8192 rios=30 wios=40 dbytes=0 dios=0\n"
      "8:16 rbytes=1 wbytes=2 rios=500 wios=600 dbytes=0 dios=0\n";
  CHECK(parse_group_requests(text, {"254:0", "8:16"}) == 1107);
  CHECK(parse_group_requests(text, {}) == 0);
  CHECK(parse_group_requests("", {"254:0"}) == 0);
  CHECK(parse_group_requests("254:0 \n", {"254:0"}) == 0);  // nothing yet
}

TEST_CASE("kernel stats: a cgroup's CPU use") {
  CHECK(parse_cpu_usage("usage_usec 77\nuser_usec 70\n").value() == Duration(77));
  CHECK_FALSE(parse_cpu_usage("user_usec 70\n").has_value());
}

TEST_CASE("kernel stats: a process's CPU use stands behind whatever it calls itself") {
  const auto cpu = parse_process_cpu(
      "42 (a) b) 9 9 (c) S 1 42 42 0 -1 4194304 1 2 3 4 150 50 30 20 20 0 7 0 12345 1 1\n");
  REQUIRE(cpu.has_value());
  CHECK(cpu->own == milliseconds(2000));
  CHECK(cpu->children == milliseconds(500));
  CHECK(cpu->threads == 7);
  CHECK_FALSE(parse_process_cpu("42 a S 1\n").has_value());
  CHECK_FALSE(parse_process_cpu("42 (a) S 1 42 42\n").has_value());
}

}  // namespace
}  // namespace lull::os
