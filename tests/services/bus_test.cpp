#include "runner/desktop/bus.hpp"

#include "runner/desktop/service_manager.hpp"
#include "tests/support/bus_daemon.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/turn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lull::desktop {
namespace {

using std::chrono::seconds;
using tests::BusDaemon;
using tests::turn_until;

struct Answer {
  std::optional<Result<std::string>> text;

  [[nodiscard]] Bus::OnReply taker() {
    return [this](const Result<sd_bus_message*>& reply) {
      if (!reply) {
        text.emplace(reply.error());
        return;
      }
      const char* word = "";
      sd_bus_message_read(*reply, "s", &word);
      text.emplace(success(word));
    };
  }
};

constexpr const char* kDaemon = "org.freedesktop.DBus";

Message question(Bus& bus, const char* member, const char* about = nullptr) {
  Message message = bus.method(kDaemon, "/org/freedesktop/DBus", kDaemon, member).value();
  if (about != nullptr) sd_bus_message_append(message.get(), "s", about);
  return message;
}

TEST_CASE("bus: a call is answered on the loop, or with the error's own words") {
  const BusDaemon daemon;
  boost::asio::io_context loop;
  const auto bus = Bus::connect(loop.get_executor(), daemon.address(), Bus::To::daemon).value();
  Answer id;
  Answer nobody;
  bus->call(question(*bus, "GetId"), seconds(10), id.taker());
  bus->call(question(*bus, "GetNameOwner", "org.example.Nobody"), seconds(10), nobody.taker());
  CHECK_FALSE(id.text);  // nothing blocks
  REQUIRE(turn_until(loop, [&] { return id.text && nobody.text; }));
  CHECK(id.text->value().size() == 32);
  CHECK(nobody.text->error().what().find("org.example.Nobody") != std::string::npos);
}

TEST_CASE("bus: a watch hears its signal") {
  const BusDaemon daemon;
  boost::asio::io_context loop;
  const auto bus = Bus::connect(loop.get_executor(), daemon.address(), Bus::To::daemon).value();
  int heard = 0;
  const auto watched = bus->watch({"/org/freedesktop/DBus", kDaemon, "NameOwnerChanged"},
                                  [&](sd_bus_message*) { ++heard; });
  REQUIRE(watched.has_value());
  Answer id;
  bus->call(question(*bus, "GetId"), seconds(10),
            id.taker());  // after it, the watch is known there
  REQUIRE(turn_until(loop, [&] { return id.text.has_value(); }));
  heard = 0;  // our own name
  const auto other = Bus::connect(loop.get_executor(), daemon.address(), Bus::To::daemon).value();
  CHECK(turn_until(loop, [&] { return heard > 0; }));
}

TEST_CASE("bus: when the other end is gone, what waits for it is told so") {
  BusDaemon daemon;
  boost::asio::io_context loop;
  const auto bus = Bus::connect(loop.get_executor(), daemon.address(), Bus::To::daemon).value();
  Answer id;
  bus->call(question(*bus, "GetId"), seconds(10), id.taker());
  REQUIRE(turn_until(loop, [&] { return id.text.has_value(); }));
  CHECK_FALSE(bus->is_broken());
  daemon.end();
  REQUIRE(turn_until(loop, [&] { return bus->is_broken(); }));
  Answer late;
  bus->call(question(*bus, "GetId"), seconds(10), late.taker());
  REQUIRE(turn_until(loop, [&] { return late.text.has_value(); }));
  CHECK(late.text->has_error());
}

TEST_CASE("bus: where nobody listens there is no bus") {
  const tests::TempFolder folder;
  boost::asio::io_context loop;
  const auto bus =
      Bus::connect(loop.get_executor(), "unix:path=" + folder.path("none"), Bus::To::peer);
  REQUIRE(bus.has_error());
  CHECK(bus.error().what().find(folder.path("none")) != std::string::npos);
}

TEST_CASE("service manager: one that is not there is an error, and the caller goes on") {
  const tests::TempFolder folder;
  boost::asio::io_context loop;
  ServiceManager manager(loop.get_executor(), folder.path("none"));
  std::optional<Result<void>> started;
  Scope scope{"lull-x.scope", {}, ::getpid(), ""};
  boost::asio::co_spawn(loop, manager.start_scope(std::move(scope)),
                        [&](const std::exception_ptr& error, Result<void> result) {
                          if (error) std::rethrow_exception(error);
                          started = std::move(result);
                        });
  REQUIRE(turn_until(loop, [&] { return started.has_value(); }));
  CHECK(started->has_error());
}

TEST_CASE("service manager: what may not stand in a unit's name is written as systemd does") {
  CHECK(escape_for_unit("backup-home_2.daily") == "backup-home_2.daily");
  CHECK(escape_for_unit("run:my prog@/ä") == "run:my\\x20prog\\x40\\x2f\\xc3\\xa4");
}

}  // namespace
}  // namespace lull::desktop
