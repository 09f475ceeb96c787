#include "runner/cli/doctor_gates.hpp"

#include "runner/supervisor/providers.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>

namespace lull::cli {
namespace {

using std::chrono::steady_clock;
using supervisor::Providers;
using supervisor::Told;

/// A little longer than the providers wait for anybody.
constexpr std::chrono::seconds kPatience{7};
/// As in the example of lull.toml(5); what the sources say does not hang on it.
constexpr std::chrono::minutes kAway{3};

bool is_asking(Providers& providers) {
  const auto sources = providers.presence_sources(kAway);
  return providers.power().asking || providers.network().asking ||
         std::any_of(sources.begin(), sources.end(),
                     [](const desktop::SourceState& each) { return !each.has_settled; });
}

std::string describe(const PowerState& power) {
  const std::string left =
      power.battery_percent ? ", " + std::to_string(*power.battery_percent) + " % left" : "";
  return (power.on_battery ? "on battery" : "on mains") + left;
}

std::string describe(const NetworkState& network) {
  if (!network.up) return "not connected";
  return network.metered ? "connected, and metered" : "connected, and not metered";
}

template <class State>
GateSource source_of(const char* gate, const Told<State>& told, const std::string& counts_as) {
  if (told.state) return {gate, told.source, true, describe(*told.state)};
  return {gate, told.source, false, "says nothing: counts as " + counts_as};
}

}  // namespace

std::vector<GateSource> examine_gates() {
  boost::asio::io_context loop;
  Providers providers(loop.get_executor(), [] {});
  const auto give_up = steady_clock::now() + kPatience;
  while (is_asking(providers) && steady_clock::now() < give_up) {
    loop.restart();
    loop.run_one_until(give_up);
  }
  std::vector<GateSource> all{source_of("power", providers.power(), "on mains"),
                              source_of("network", providers.network(), "not connected")};
  for (const desktop::SourceState& each : providers.presence_sources(kAway))
    all.push_back({"away", each.source, each.works, each.detail});
  return all;
}

}  // namespace lull::cli
