#include "jobs/priority.hpp"

#include "jobs/run.hpp"
#include "jobs/spec.hpp"
#include "tests/support/catch.hpp"

#include <string>

using namespace lull;

namespace {

constexpr IoPriority best_effort(int level) { return {IoClass::best_effort, level}; }
constexpr IoPriority kIdle{IoClass::idle, 0};

}  // namespace

TEST_CASE("parse_io_priority: reads back what to_string writes") {
  for (const auto priority :
       {IoPriority{}, kIdle, best_effort(0), best_effort(7), IoPriority{IoClass::realtime, 3}}) {
    INFO(to_string(priority));
    const auto parsed = parse_io_priority(to_string(priority));
    REQUIRE(parsed.has_value());
    CHECK(parsed.value() == priority);
  }
}

TEST_CASE("parse_io_priority: refuses what has no level or no such class") {
  for (const char* text : {"best-effort", "best-effort:", "best-effort:8", "best-effort:-1",
                           "best-effort:4x", "realtime", "realtime:x"}) {
    INFO(text);
    const auto parsed = parse_io_priority(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_THAT(parsed.error().what(), ContainsSubstring("has no level from 0 (first) to 7 (last)"));
  }
  for (const char* text : {"", "be:4", "Idle", "idle:1", "none:0"}) {
    INFO(text);
    const auto parsed = parse_io_priority(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_THAT(parsed.error().what(), ContainsSubstring("unknown I/O priority"));
  }
}

TEST_CASE("levels_of: gives the policies of the specification") {
  const Level ordinary{0, best_effort(4)};
  const LevelTable unadapted{ordinary, ordinary, ordinary, ordinary, false};
  CHECK(levels_of(Policy::important) == unadapted);
  CHECK(levels_of(Policy::passive) == unadapted);
  CHECK(levels_of(Policy::standard) ==
        LevelTable{ordinary, ordinary, {5, best_effort(6)}, Level{10, best_effort(7)}, true});
  CHECK(levels_of(Policy::utility) ==
        LevelTable{{5, best_effort(4)}, {10, best_effort(6)}, {19, kIdle}, Level{19, kIdle}, true});
  CHECK(levels_of(Policy::throttle) ==
        LevelTable{{5, best_effort(5)}, {15, best_effort(7)}, {19, kIdle}, Pause{}, true});
}

TEST_CASE("parse_policy: reads every policy by its name") {
  for (const auto policy : kPolicies)
    CHECK(parse_policy(to_string(policy)).value() == policy);
  CHECK(parse_policy("idle").error().what() ==
        R"(unknown policy "idle": write important, standard, utility, throttle or passive)");
}

TEST_CASE("to_string: shows a level as history does") {
  CHECK(to_string(Level{15, best_effort(7)}) == "nice 15, best-effort:7");
  CHECK(to_string(Level{-5, IoPriority{}}) == "nice -5, none");
}

TEST_CASE("capped: holds nice and I/O down to the ceiling, each by itself") {
  struct Case {
    Level level;
    Level ceiling;
    Level expected;
  };
  const IoPriority realtime{IoClass::realtime, 0};
  const Case cases[] = {
      {{-10, realtime}, {0, best_effort(0)}, {0, best_effort(0)}},
      {{10, best_effort(0)}, {0, best_effort(4)}, {10, best_effort(4)}},
      {{-10, best_effort(7)}, {5, best_effort(4)}, {5, best_effort(7)}},
      {{19, kIdle}, {0, best_effort(0)}, {19, kIdle}},
      // Without a priority of its own a process is best-effort by its nice: here 4, then 5.
      {{0, IoPriority{}}, {0, best_effort(4)}, {0, IoPriority{}}},
      {{0, IoPriority{}}, {0, best_effort(5)}, {0, best_effort(5)}},
      {{-20, realtime}, {-20, realtime}, {-20, realtime}},
  };
  for (const auto& c : cases) {
    INFO(to_string(c.level) << " under " << to_string(c.ceiling));
    CHECK(capped(c.level, c.ceiling) == c.expected);
  }
}

TEST_CASE("capped: leaves a pause a pause") {
  const auto levels = capped(levels_of(Policy::throttle), {17, best_effort(7)});
  CHECK(levels.idle == Level{17, best_effort(7)});
  CHECK(levels.busy == Level{19, kIdle});
  CHECK(std::holds_alternative<Pause>(levels.strained));
}

TEST_CASE("is_job_name: is what a file's stem may be") {
  const std::string longest(64, 'a');
  for (const auto& name :
       {std::string("a"), std::string("0"), std::string("nas-backup_2.old"), longest}) {
    CHECK(is_job_name(name));
    CHECK(is_lock_name(name));
  }
  for (const auto& name :
       {std::string(), std::string(".a"), std::string("-a"), std::string("A"), std::string("a/b"),
        std::string("a b"), std::string("\xc3\xa4"), longest + "a"}) {
    INFO(name);
    CHECK_FALSE(is_job_name(name));
    CHECK_FALSE(is_lock_name(name));
  }
  CHECK(is_lock_name("repo:nas"));
  CHECK_FALSE(is_job_name("repo:nas"));
}

TEST_CASE("triggers and outcomes: are read back from their names") {
  for (const char* name : {"schedule", "manual", "catch-up", "retry"}) {
    CHECK(to_string(parse_trigger(name).value()) == name);
  }
  for (const char* name : {"success", "failed", "timed-out", "stopped", "spawn-failed",
                           "interrupted", "lost-race", "skipped"}) {
    CHECK(to_string(parse_outcome(name).value()) == name);
  }
  CHECK(parse_trigger("cron").error().what() ==
        R"(unknown trigger "cron": write one of schedule, manual, catch-up, retry)");
  CHECK_FALSE(parse_outcome("timed_out").has_value());
}
