#pragma once

#include "jobs/foreground.hpp"
#include "jobs/gates.hpp"
#include "jobs/presence.hpp"
#include "jobs/spec.hpp"
#include "runner/desktop/input_source.hpp"
#include "runner/supervisor/driver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lull::supervisor {

/// What is known of one thing, and who says so.
template <class State>
struct Told {
  std::optional<State> state;
  std::string source;
  bool asking = false;  ///< whoever may know better has not answered yet
};

/// What `exists` asks about.
struct Missing {
  std::vector<MissingPath> paths;
  std::vector<std::string> elsewhere;  ///< paths on file systems that may never answer
};

/// Who can tell what gates ask about. Each is opened when it is first asked and closed when nobody
/// asks any more, so that a machine whose jobs wait for nothing is not woken by its battery.
class Providers {
 public:
  /// `on_change` is called on the loop when one that is open may have something else to tell.
  Providers(boost::asio::any_io_executor loop, std::function<void()> on_change);
  ~Providers();
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;

  Told<PowerState> power();
  Told<NetworkState> network();
  /// Whether somebody is at the machine, for one to whom so long without input matters.
  Presence presence(Duration threshold);
  /// Each who is asked about that, and what he says.
  std::vector<desktop::SourceState> presence_sources(Duration threshold);
  bool is_mounted(const std::variant<MountPoint, VolumeUuid>& what);
  /// Those of the paths where there is nothing, and those that are not to be looked at here.
  Missing missing(const std::vector<std::string>& paths);

  /// Closes those that were not asked since the last call. Not to be called from `on_change`.
  void close_unasked();

 private:
  class Power;
  class Network;
  class Users;
  class Mounts;
  class Paths;
  /// One that may be open.
  template <class Provider>
  struct Seat {
    std::unique_ptr<Provider> provider;
    bool asked = false;
  };
  template <class Provider>
  Provider& open(Seat<Provider>& seat);
  template <class Provider>
  static void close_unasked(Seat<Provider>& seat);
  void close_unasked_users();

  boost::asio::any_io_executor loop_;
  std::function<void()> on_change_;
  Seat<Power> power_;
  Seat<Network> network_;
  Seat<Users> users_;
  Instant users_asked_{0};
  Seat<Mounts> mounts_;
  Seat<Paths> paths_;
};

/// For the loop, how long nobody has been here: what a source that has yet to answer said before
/// holds until then. `providers` must outlive it.
Driver::UserAway user_away_of(Providers& providers);

}  // namespace lull::supervisor
