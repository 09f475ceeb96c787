// `lull calendar`, as people and scripts call it.
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"

using namespace lull::tests;
using nlohmann::json;

namespace {

constexpr const char* kFrom = "2026-10-24T22:00:00+02:00";

}  // namespace

TEST_CASE("calendar: prints the normalised form and the next slots in the zone that counts") {
  const Instance instance;
  const json answer = instance.json(
      {"calendar", "02:30", "--timezone", "Europe/Berlin", "--from", kFrom, "--count", "2"});
  CHECK(answer == json{{"normalized", "*-*-* 02:30:00"},
                       {"next", {"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}}});
  const json own = instance.json(
      {"calendar", "*:*:0.5 UTC", "--timezone", "Europe/Berlin", "--from", kFrom, "--count", "1"});
  CHECK(own["normalized"] == "*-*-* *:*:00.500000 UTC");
  CHECK(own["next"] == json{"2026-10-24T20:00:00.5+00:00"});
  CHECK(instance.json({"calendar", "2020-01-01"})["next"].empty());
  CHECK(instance.json({"calendar", "@reboot"}) ==
        json{{"normalized", "@reboot"}, {"next", json::array()}});
}

TEST_CASE(
    "calendar: several expressions are a line each as JSON, and a wrong one spoils no other") {
  const Instance instance;
  const Finished several = instance.lull({"calendar", "daily", "25:00", "0 3 * * 1", "--json",
                                          "--timezone", "UTC", "--from", kFrom, "--count", "1"});
  CHECK(several.exit_code == 2);
  CHECK(several.out ==
        "{\"normalized\":\"*-*-* 00:00:00\",\"next\":[\"2026-10-25T00:00:00+00:00\"]}\n"
        "{\"normalized\":\"Mon *-*-* 03:00:00\",\"next\":[\"2026-10-26T03:00:00+00:00\"]}\n");
  CHECK_THAT(several.err, ContainsSubstring("\"25:00\": hour \"25\" is out of range"));
}

TEST_CASE("calendar: for people it says how far ahead, and what slots cannot tell") {
  const Instance instance;
  const Finished plain = instance.lull({"calendar", "18:00", "@reboot", "2020-01-01", "~ 3 * * *",
                                        "--timezone", "UTC", "--from", kFrom, "--count", "1"});
  CHECK(plain.exit_code == 0);
  CHECK_THAT(plain.out, ContainsSubstring("*-*-* 18:00:00\n  2026-10-25T18:00:00+00:00  in 22h\n"));
  CHECK_THAT(plain.out, ContainsSubstring("@reboot\n  once after each boot\n"));
  CHECK_THAT(plain.out, ContainsSubstring("2020-01-01 00:00:00\n  never again\n"));
  CHECK_THAT(plain.out, ContainsSubstring("~ 3 * * *\n  2026-10-25T03:"));
  CHECK_THAT(plain.out, ContainsSubstring("an example: each job has its own\n"));
  CHECK(instance.lull({"calendar", "daily", "--count", "0"}).out == "*-*-* 00:00:00\n");
}

TEST_CASE("calendar: a wrong zone, time or count is a usage error that says what to write") {
  const Instance instance;
  const auto says = [&](const char* option, const char* value, const char* text) {
    const Finished wrong = instance.lull({"calendar", "daily", option, value});
    CHECK(wrong.exit_code == 2);
    CHECK_THAT(wrong.err, ContainsSubstring(text));
  };
  says("--timezone", "Europe/Berlim", "Europe/Berlin");
  says("--from", "yesterday", "2026-11-22T02:30:00+01:00");
  says("--count", "-1", "--count");
  CHECK(instance.lull({"calendar"}).exit_code == 2);
}
