#include "runner/supervisor/protocol.hpp"

#include "tests/support/catch.hpp"

namespace lull::supervisor {
namespace {

TEST_CASE("protocol: a request arrives as it was sent") {
  const TimePoint until(std::chrono::microseconds(1'800'000'000'000'017));
  for (const Request& request :
       {Request{}, Request{Verb::start, "backup", true},
        Request{Verb::pause, "backup", false, until}, Request{Verb::pause, ""},
        Request{Verb::resume, "backup"}, Request{Verb::reload, ""}}) {
    const auto parsed = parse_request(encode(request));
    REQUIRE(parsed.has_value());
    CHECK(*parsed == request);
  }
}

TEST_CASE("protocol: an end of a pause that is no time is refused") {
  for (const char* until : {"7", "\"soon\"", "null"}) {
    CAPTURE(until);
    const auto parsed =
        parse_request(std::string(R"({"protocol":1,"command":"pause","until":)") + until + "}");
    CHECK(parsed.has_error());
  }
}

}  // namespace
}  // namespace lull::supervisor
