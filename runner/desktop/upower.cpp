#include "runner/desktop/upower.hpp"

#include <cstdint>
#include <utility>

namespace lull::desktop {
namespace {

constexpr const char* kService = "org.freedesktop.UPower";
constexpr const char* kDisplayDevice = "/org/freedesktop/UPower/devices/DisplayDevice";
constexpr std::int64_t kBattery = 2;  // Type: all batteries of the machine in one

std::optional<int> percent_of(const Properties* device) {
  if (device == nullptr || value_of<std::int64_t>(*device, "Type") != kBattery) return std::nullopt;
  if (!value_of<bool>(*device, "IsPresent").value_or(false)) return std::nullopt;
  const auto percentage = value_of<double>(*device, "Percentage");
  return percentage ? std::optional(static_cast<int>(*percentage)) : std::nullopt;
}

}  // namespace

UPower::UPower(const boost::asio::any_io_executor& loop, std::string bus_address,
               std::function<void()> on_change)
    : watch_(loop, std::move(bus_address), kService,
             {{"/org/freedesktop/UPower", kService},
              {kDisplayDevice, "org.freedesktop.UPower.Device"}},
             std::move(on_change)) {}

std::optional<PowerState> UPower::state() const {
  const Properties* const machine = watch_.of(0);
  if (machine == nullptr) return std::nullopt;
  const auto on_battery = value_of<bool>(*machine, "OnBattery");
  if (!on_battery) return std::nullopt;
  return PowerState{*on_battery, percent_of(watch_.of(1))};
}

}  // namespace lull::desktop
