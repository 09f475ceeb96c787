#include "config/nearest.hpp"

#include "tests/support/catch.hpp"

#include <array>
#include <string>

using namespace lull::config;

TEST_CASE("edit_distance: counts letters added, removed, changed or swapped") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("timeout", "timeout") == 0);
  CHECK(edit_distance("timout", "timeout") == 1);
  CHECK(edit_distance("timeuot", "timeout") == 1);
  CHECK(edit_distance("Timeout", "timeout") == 0);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("nearest: names what was probably meant, or nothing") {
  constexpr std::array<std::string_view, 4> kKeys{"timeout", "retries", "at", "after"};
  CHECK(nearest("timout", kKeys) == "timeout");
  CHECK(nearest("retry", kKeys) == std::nullopt);
  CHECK(nearest("retrys", kKeys) == "retries");
  CHECK(nearest("ta", kKeys) == "at");
  CHECK(nearest("xy", kKeys) == std::nullopt);
  CHECK(nearest("", kKeys) == std::nullopt);
  CHECK(nearest(std::string(1000, 'a'), kKeys) == std::nullopt);
}
