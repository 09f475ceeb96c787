#include "runner/supervisor/loop_protocol.hpp"

#include "tests/support/catch.hpp"

namespace lull::supervisor {
namespace {

DrivenRun some_run() {
  DrivenRun run;
  run.key = 7;
  run.processes.keeper = {123, 456, "boot"};
  run.processes.main = 124;
  run.processes.cgroups = {"/sys/fs/cgroup/lull/photos.123"};
  run.priority.policy = Policy::utility;
  run.priority.levels = levels_of(Policy::utility);
  run.priority.pause = PauseMethod::stop;
  run.priority.max_pause = std::chrono::minutes(4);
  run.can = {CpuKnob::autogroup, 12, true};
  run.level = {10, {IoClass::best_effort, 7}};
  run.state = Foreground::busy;
  run.fresh = false;
  return run;
}

template <class Message>
Message to_loop(const Message& message) {
  const auto parsed = parse_to_loop(encode(ToLoop(message)));
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<Message>(*parsed));
  return std::get<Message>(*parsed);
}

template <class Message>
Message from_loop(const Message& message) {
  const auto parsed = parse_from_loop(encode(FromLoop(message)));
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<Message>(*parsed));
  return std::get<Message>(*parsed);
}

TEST_CASE("loop protocol: a run arrives as it was sent, whatever its levels") {
  DrivenRun run = some_run();
  for (const Policy policy : {Policy::important, Policy::standard, Policy::throttle}) {
    run.priority.levels = levels_of(policy);
    const DrivenRun back = to_loop(AddRun{run}).run;
    CHECK(back.key == run.key);
    CHECK(back.processes == run.processes);
    CHECK(back.priority == run.priority);
    CHECK(back.can == run.can);
    CHECK(back.level == run.level);
    CHECK(back.state == run.state);
    CHECK(back.fresh == run.fresh);
    CHECK(back.held == run.held);
    run.held = "paused by hand";
  }
}

TEST_CASE("loop protocol: the other messages arrive too, one line each") {
  CHECK(to_loop(RemoveRun{9}).key == 9);
  CHECK(to_loop(AskWhy{10}).key == 10);
  CHECK(to_loop(HoldRun{11, "paused by hand"}).key == 11);
  CHECK(to_loop(HoldRun{11, "paused by hand"}).reason == "paused by hand");
  CHECK(to_loop(HoldRun{11}).reason == std::nullopt);
  Change change;
  change.key = 7;
  change.level = {TimePoint(Duration(5)), Foreground::strained, "pause",
                  Applied{{"pause", "cgroup.freeze"}}, "a reason\nof two lines, \xff"};
  change.paused = Duration(99);
  CHECK(encode(FromLoop(change)).find('\n') == encode(FromLoop(change)).size() - 1);
  const Change back = from_loop(change);
  CHECK(back.key == 7);
  CHECK(back.level.level == "pause");
  CHECK(back.level.state == Foreground::strained);
  CHECK(back.level.applied == change.level.applied);
  CHECK_THAT(back.level.reason, ContainsSubstring("a reason\nof two lines"));
  CHECK(back.paused == Duration(99));
  CHECK(from_loop(Removed{3, Duration(4)}).paused == Duration(4));
  CHECK(from_loop(Because{3, {"a", "b"}}).because == std::vector<std::string>{"a", "b"});
}

TEST_CASE("loop protocol: what is no message is refused, and a newer lull's keys are passed over") {
  for (const char* line : {"", "x", "[]", "{}", "null", R"({"add":{}})", R"({"why":"one"})"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_to_loop(line).has_value());
    CHECK_FALSE(parse_from_loop(line).has_value());
  }
  std::string add = encode(ToLoop(AddRun{some_run()}));
  const auto state = add.find("\"state\":2");
  REQUIRE(state != std::string::npos);
  add.replace(state, 9, "\"state\":9");
  CHECK_FALSE(parse_to_loop(add).has_value());
  CHECK(parse_to_loop(R"({"why":1,"new key":true})").has_value());
}

TEST_CASE("loop protocol: a run of a lull that could not hold any is held by nobody") {
  std::string add = encode(ToLoop(AddRun{some_run()}));
  const std::string held = "\"held\":null,";
  REQUIRE(add.find(held) != std::string::npos);
  add.erase(add.find(held), held.size());
  const auto parsed = parse_to_loop(add);
  REQUIRE(parsed.has_value());
  CHECK_FALSE(std::get<AddRun>(*parsed).run.held);
}

}  // namespace
}  // namespace lull::supervisor
