#include "runner/desktop/x_display.hpp"

#include "tests/support/catch.hpp"

#include <string>

namespace lull::desktop {
namespace {

TEST_CASE("display: a local one has a socket") {
  for (const auto* const name : {":0", "unix:0", ":0.1", "unix:0.0"}) {
    INFO(name);
    const auto display = parse_display(name);
    REQUIRE(display.has_value());
    CHECK(display->number == "0");
    CHECK(display->socket == "/tmp/.X11-unix/X0");
  }
  CHECK(parse_display("/run/user/1000/x")->socket == "/run/user/1000/x");
}

TEST_CASE("display: one of another machine, or what is none, is an error") {
  for (const auto* const name :
       {"", ":", "0", ":x", ":0x", "localhost:10.0", "desk/unix:0", ":123456"}) {
    INFO(name);
    CHECK(parse_display(name).has_error());
  }
}

/// One entry of an Xauthority file: family, address, number, method, data.
std::string entry(unsigned family, const std::string& address, const std::string& number,
                  const std::string& method, const std::string& data) {
  const auto two = [](std::size_t value) {
    return std::string{static_cast<char>(value / 256), static_cast<char>(value % 256)};
  };
  std::string bytes = two(family);
  for (const std::string& part : {address, number, method, data})
    bytes += two(part.size()) + part;
  return bytes;
}

TEST_CASE("display: its cookie is that of this host and number, or of any") {
  const std::string method = "MIT-MAGIC-COOKIE-1";
  const std::string others =
      entry(256, "elsewhere", "0", method, "1") + entry(256, "here", "1", method, "2") +
      entry(0, "here", "0", method, "3") + entry(256, "here", "0", "XDM-AUTHORIZATION-1", "4");
  CHECK(find_cookie(others, "here", "0").empty());
  CHECK(find_cookie(others + entry(256, "here", "0", method, "5"), "here", "0") == "5");
  CHECK(find_cookie(others + entry(256, "here", "", method, "6"), "here", "0") == "6");
  CHECK(find_cookie(others + entry(65535, "", "0", method, "7"), "here", "0") == "7");
}

TEST_CASE("display: an authority file that breaks off has what it has") {
  const std::string whole = entry(65535, "", "", "MIT-MAGIC-COOKIE-1", "12345678");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(find_cookie(whole.substr(0, size), "here", "0").empty());
  }
}

}  // namespace
}  // namespace lull::desktop
