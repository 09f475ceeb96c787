#pragma once

#include "jobs/gates.hpp"
#include "runner/desktop/property_watch.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace lull::desktop {

/// How the machine is connected, as NetworkManager says (org.freedesktop.NetworkManager, its State,
/// Connectivity and Metered).
class NetworkManager {
 public:
  static constexpr const char* kName = "NetworkManager";

  NetworkManager(const boost::asio::any_io_executor& loop, std::string bus_address,
                 std::function<void()> on_change);

  /// Nothing: there is no NetworkManager, or it does not answer.
  [[nodiscard]] std::optional<NetworkState> state() const;
  /// It may have another answer in a moment.
  [[nodiscard]] bool is_asking() const { return watch_.is_asking(); }
  /// It may well be there, and know what nobody else does.
  [[nodiscard]] bool is_unreliable() const { return watch_.is_unreliable(); }

 private:
  PropertyWatch watch_;
};

}  // namespace lull::desktop
