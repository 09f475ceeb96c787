#pragma once

#include "jobs/gates.hpp"
#include "runner/desktop/property_watch.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace lull::desktop {

/// What feeds the machine, as UPower says (org.freedesktop.UPower, its OnBattery and the display
/// device's Percentage).
class UPower {
 public:
  static constexpr const char* kName = "UPower";

  UPower(const boost::asio::any_io_executor& loop, std::string bus_address,
         std::function<void()> on_change);

  /// Nothing: there is no UPower, or it does not answer.
  [[nodiscard]] std::optional<PowerState> state() const;
  /// It may have another answer in a moment.
  [[nodiscard]] bool is_asking() const { return watch_.is_asking(); }

 private:
  PropertyWatch watch_;
};

}  // namespace lull::desktop
