// Whom gates and the loop ask, and how long they stay open.
#include "runner/supervisor/providers.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/gated_job.hpp"
#include "tests/support/turn.hpp"
#include "tests/support/x_server.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdlib>

namespace lull::supervisor {
namespace {

using namespace std::chrono_literals;

TEST_CASE("providers: whoever is asked once a second stays open, however often others look") {
  const tests::SystemBus system;
  ::unsetenv("DBUS_SESSION_BUS_ADDRESS");
  ::unsetenv("WAYLAND_DISPLAY");
  const tests::XServer server;
  ::setenv("DISPLAY", server.display().c_str(), 1);
  boost::asio::io_context loop;
  Providers providers(loop.get_executor(), [] {});
  const Driver::UserAway user_away = user_away_of(providers);
  CHECK(user_away(1s) == Duration(0));  // nobody has answered yet
  REQUIRE(tests::turn_until(loop, [&] { return providers.presence(1s).away >= Duration(1s); }));
  for (int look = 0; look < 5; ++look) {
    providers.close_unasked();
    CHECK_FALSE(providers.presence(1s).asking);
    providers.close_unasked();
    providers.close_unasked();
    CHECK(user_away(1s) >= Duration(1s));
  }
  ::unsetenv("DISPLAY");
}

}  // namespace
}  // namespace lull::supervisor
