#include "runner/desktop/network_manager.hpp"

#include <cstdint>
#include <utility>

namespace lull::desktop {
namespace {

constexpr const char* kService = "org.freedesktop.NetworkManager";

// NMState, NMConnectivityState and NMMetered of its D-Bus API.
constexpr std::int64_t kConnectedGlobal = 70;
constexpr std::int64_t kConnectivityUnknown = 0;  // it does not check
constexpr std::int64_t kConnectivityFull = 4;     // neither a portal nor a dead end
constexpr std::int64_t kMeteredUnknown = 0;
constexpr std::int64_t kMetered = 1;
constexpr std::int64_t kGuessedMetered = 3;

}  // namespace

NetworkManager::NetworkManager(const boost::asio::any_io_executor& loop, std::string bus_address,
                               std::function<void()> on_change)
    : watch_(loop, std::move(bus_address), kService,
             {{"/org/freedesktop/NetworkManager", kService}}, std::move(on_change)) {}

std::optional<NetworkState> NetworkManager::state() const {
  const Properties* const manager = watch_.of(0);
  if (manager == nullptr) return std::nullopt;
  const auto state = value_of<std::int64_t>(*manager, "State");
  if (!state) return std::nullopt;
  const auto connectivity =
      value_of<std::int64_t>(*manager, "Connectivity").value_or(kConnectivityUnknown);
  const auto metered = value_of<std::int64_t>(*manager, "Metered").value_or(kMeteredUnknown);
  const bool reaches = connectivity == kConnectivityFull || connectivity == kConnectivityUnknown;
  return NetworkState{*state == kConnectedGlobal && reaches,
                      metered == kMetered || metered == kGuessedMetered};
}

}  // namespace lull::desktop
