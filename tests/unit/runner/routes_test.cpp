#include "runner/os/routes.hpp"

#include "tests/support/catch.hpp"

#include <string>

namespace {

using lull::os::has_default_route;

/// What /proc/net/route says, of these lines.
std::string routes(const std::string& lines) {
  return "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
         lines;
}

constexpr const char* kDefault = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
constexpr const char* kDown = "eth0\t00000000\t0101A8C0\t0002\t0\t0\t100\t00000000\t0\t0\t0\n";
constexpr const char* kLocal = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";

std::string v6(const std::string& length, const std::string& flags, const std::string& device) {
  const std::string zeros(32, '0');
  return zeros + " " + length + " " + zeros + " 00 fe80000000000000020000fffe000001 00000400 " +
         "00000001 00000000 " + flags + "     " + device + "\n";
}

TEST_CASE("routes: a route to everywhere that is up and leads on is one") {
  CHECK(has_default_route(routes(std::string(kLocal) + kDefault), ""));
  CHECK(has_default_route(routes(""), v6("00", "00000003", "wlan0")));
}

TEST_CASE("routes: local nets, lo, and routes that are down or refuse are none") {
  CHECK_FALSE(has_default_route("", ""));
  CHECK_FALSE(has_default_route(routes(kLocal), ""));
  CHECK_FALSE(has_default_route(routes(kDown), ""));
  CHECK_FALSE(has_default_route("", v6("00", "00200200", "lo")));
  CHECK_FALSE(has_default_route("", v6("00", "00000201", "eth0")));
  CHECK_FALSE(has_default_route("", v6("40", "00000003", "eth0")));
  CHECK_FALSE(has_default_route("eth0\t00000000\n", std::string(32, '0') + " 00\n"));
}

}  // namespace
