#pragma once

#include "jobs/result.hpp"
#include "runner/desktop/bus.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lull::desktop {

/// Names and values as org.freedesktop.systemd1(5) has them. Of CPUWeight, 0 is "idle".
using UnitProperties =
    std::vector<std::pair<std::string, std::variant<std::uint64_t, std::string>>>;

/// A unit that holds a process which somebody else has started (systemd.scope(5)).
struct Scope {
  std::string name;  ///< "….scope", as unit_name makes it
  UnitProperties properties;
  pid_t process = 0;
  std::string after;  ///< a unit that is stopped only when the scope has been; empty: none
};

/// `text` as a part of a unit's name: what may not stand there becomes \xNN, as systemd-escape(1)
/// has it, but "-" stays, which in a scope's name means nothing.
std::string escape_for_unit(std::string_view text);

/// The systemd that manages this user's units, or root's the machine's; spoken to directly, since
/// its own socket is there before a bus daemon is and stays when that is restarted.
class ServiceManager {
 public:
  /// The socket of our own manager; nothing where none runs.
  static std::optional<std::string> own_socket();

  /// The unit of our own manager's that we are in; empty where we are in none.
  static std::string own_unit();

  /// The cgroup that the manager at this socket rules, from the root on; "" is that root. None if
  /// it does not answer.
  static std::optional<std::string> group_of(const std::string& socket);

  /// Called with a unit's name whenever the manager begins to do something about a unit that is not
  /// being started by us: with one of our scopes, that is to stop it.
  using OnJob = std::function<void(const std::string& unit)>;

  ServiceManager(boost::asio::any_io_executor loop, std::string socket, OnJob on_job = {});

  /// Listens from now on; else only from the first of the others on.
  Result<void> listen();

  /// Returns when the process is in the scope. An error, also that of a manager which does not
  /// answer for 25 s, means that the process may be anywhere.
  boost::asio::awaitable<Result<void>> start_scope(Scope scope);
  /// Holds until the unit ends or the machine does. A unit that is not there is an error.
  boost::asio::awaitable<Result<void>> set(std::string unit, UnitProperties properties);

 private:
  class Waiting;
  Result<Bus*> bus();
  void on_job_new(sd_bus_message* message);
  void on_job_removed(sd_bus_message* message);
  void on_disconnected();

  boost::asio::any_io_executor loop_;
  std::string socket_;
  OnJob on_job_;
  std::map<std::string, std::shared_ptr<Waiting>> starting_;  ///< by unit
  std::unique_ptr<Bus> bus_;  ///< last: what it calls back uses the rest
};

}  // namespace lull::desktop
