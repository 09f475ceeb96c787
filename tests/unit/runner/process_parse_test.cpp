#include "runner/os/process.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace {

using namespace lull;
using namespace lull::os;

std::string stat_line(const std::string& comm) {
  return "4242 (" + comm +
         ") S 4240 4241 4239 34816 4242 4194304 97 0 0 0 1 2 3 4 25 5 1 0 8675309 2469888 123 "
         "18446744073709551615 1 1 0 0 0 0 0 0 65536 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
}

TEST_CASE("process: stat is read whatever the process is called") {
  for (const std::string comm :
       {"cat", "", "a) b (c", ") S 1 1 1 (", "with blanks", "line\nend", "\x1b[31m", "(sd-pam)"}) {
    CAPTURE(comm);
    const auto stat = parse_process_stat(stat_line(comm)).value();
    CHECK(stat == ProcessStat{4242, comm, 'S', 4240, 4241, 4239, 5, 8675309});
  }
}

TEST_CASE("process: a negative nice value and fields of a newer kernel are read") {
  auto line = stat_line("x");
  line.replace(line.find(" 5 1 0 "), 3, " -20 ");
  line.insert(line.size() - 1, " 99 new");
  CHECK(parse_process_stat(line)->nice == -20);
}

TEST_CASE("process: a stat line that is cut short or broken is an error") {
  for (const std::string text :
       {"", "\n", "4242", "4242 (cat", "4242 cat) S 1", ")(", "4242 (cat) S 1 2 3",
        "x (cat) S 4240 4241 4239 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0",
        "4242 (cat) S x 4241 4239 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0",
        "4242 (cat) S 1 4241 4239 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 -5 0",
        "4242 (cat) S 99999999999 1 1 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0"}) {
    CAPTURE(text);
    CHECK(parse_process_stat(text).has_error());
  }
}

TEST_CASE("process: autogroup") {
  CHECK(parse_autogroup("/autogroup-6 nice 0\n").value() == 0);
  CHECK(parse_autogroup("/autogroup-1234567890123 nice -20\n").value() == -20);
  CHECK(parse_autogroup("/autogroup-6 nice 19 later\n").value() == 19);
  CHECK_FALSE(parse_autogroup("").value());
  for (const char* text : {"/autogroup-6", "/autogroup-6 nice", "/autogroup-6 nice x", "a b 3"}) {
    CHECK(parse_autogroup(text).has_error());
  }
}

TEST_CASE("process: the cgroup is the unified one, or that of cpu where it alone says something") {
  struct Row {
    std::string text;
    std::string path;
  };
  const auto row = GENERATE(
      Row{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a b:c.service\n",
          "/user.slice/user-1000.slice/user@1000.service/app.slice/a b:c.service"},
      Row{"0::/\n", "/"}, Row{"2:cpu,cpuacct:/\n0::/\n", "/"},
      Row{"4:memory:/m\n3:cpuacct,cpu:/jobs\n0::/\n", "/jobs"},
      Row{"2:cpu:/jobs\n0::/unified\n", "/unified"}, Row{"2:cpuacct:/a\n1:cpuset:/b\n0::/\n", "/"},
      Row{"2:cpu:/jobs\n1:name=systemd:/s\n", "/jobs"},
      Row{"0::/gone (deleted)", "/gone (deleted)"});
  CAPTURE(row.text);
  CHECK(parse_process_cgroup(row.text).value() == row.path);
  for (const char* text : {"", "rubbish\n", "0:/\n", "9:name=systemd:/\n"}) {
    CHECK(parse_process_cgroup(text).has_error());
  }
}

TEST_CASE("process: the real uid is the first of the four") {
  CHECK(parse_process_uid("Name:\tUid: 7\nUmask:\t0022\nUid:\t1000\t1001\t1002\t1003\n").value() ==
        1000);
  CHECK(parse_process_uid("Uid:\t4294967294\t0\t0\t0").value() == 4294967294U);
  for (const char* text : {"", "Name:\tx\n", "Uid:\n", "Uid:\tx\n", "Uid:\t-1\n"}) {
    CHECK(parse_process_uid(text).has_error());
  }
}

}  // namespace
