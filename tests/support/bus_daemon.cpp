#include "tests/support/bus_daemon.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <utility>

namespace lull::tests {
namespace {

/// Debian's, which has the packages; another may come first in PATH.
constexpr const char* kPython = "/usr/bin/python3";

Finished busctl(const std::string& address, std::vector<std::string> arguments) {
  std::vector<std::string> argv{"busctl", "--address=" + address, "--timeout=5"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Child(argv, {}).wait();
}

/// A socket is there a moment before anybody may connect to it.
bool listens(const std::string& socket) {
  boost::asio::io_context loop;
  boost::asio::local::stream_protocol::socket client(loop);
  boost::system::error_code error;
  client.connect(socket, error);
  return !error;
}

}  // namespace

BusDaemon::BusDaemon() { start(); }

void BusDaemon::start() {
  std::filesystem::remove(folder_.path("bus"));
  daemon_.emplace(
      std::vector<std::string>{"dbus-daemon", "--session", "--nofork", "--address=" + address()},
      std::vector<std::string>());
  REQUIRE(eventually([&] { return listens(folder_.path("bus")); }));
}

MockService::MockService(const BusDaemon& bus, const std::string& template_name, std::string name)
    : address_(bus.address()), name_(std::move(name)) {
  service_.emplace(std::vector<std::string>{kPython, "-m", "dbusmock", "--template", template_name},
                   std::vector<std::string>{"DBUS_SYSTEM_BUS_ADDRESS=" + address_,
                                            "DBUS_SESSION_BUS_ADDRESS=" + address_});
  REQUIRE(eventually([&] {
    return busctl(address_, {"call", name_, "/", "org.freedesktop.DBus.Peer", "Ping"}).exit_code ==
           0;
  }));
}

void MockService::set(const std::string& object, const std::string& interface,
                      const std::string& property, const std::string& type,
                      const std::string& value) const {
  call(object, "org.freedesktop.DBus.Mock", "UpdateProperties",
       {"sa{sv}", interface, "1", property, type, value});
}

void MockService::call(const std::string& object, const std::string& interface,
                       const std::string& method, const std::vector<std::string>& arguments) const {
  std::vector<std::string> words{"call", name_, object, interface, method};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Finished done = busctl(address_, words);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
}

pid_t MockService::pid() const { return service_->pid(); }

}  // namespace lull::tests
