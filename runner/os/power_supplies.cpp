#include "runner/os/power_supplies.hpp"

#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

namespace lull::os {
namespace {

/// One folder of /sys/class/power_supply.
class Supply {
 public:
  explicit Supply(std::string folder) : folder_(std::move(folder)) {}

  /// Empty where the attribute is not there, or the driver fails to read it.
  [[nodiscard]] std::string text(const char* attribute) const {
    auto read = read_file(folder_ + "/" + attribute);
    return read ? trimmed(std::move(*read)) : "";
  }

  [[nodiscard]] std::optional<std::int64_t> number(const char* attribute) const {
    return whole_number<std::int64_t>(text(attribute));
  }

  [[nodiscard]] bool is_battery() const { return text("type") == "Battery"; }
  [[nodiscard]] bool feeds_the_machine() const { return text("scope") != "Device"; }

 private:
  std::string folder_;
};

/// All batteries of the machine together.
struct Batteries {
  int count = 0;
  bool discharging = false;
  double now = 0;   ///< of what they hold
  double full = 0;  ///< energy or charge; percents where there is neither

  void add(const Supply& battery) {
    if (battery.number("present").value_or(1) == 0) return;
    ++count;
    discharging = discharging || battery.text("status") == "Discharging";
    for (const auto& [held, of] :
         {std::pair{"energy_now", "energy_full"}, {"charge_now", "charge_full"}}) {
      const auto has = battery.number(held);
      const auto most = battery.number(of);
      if (!has || !most || *most <= 0) continue;
      now += static_cast<double>(*has);
      full += static_cast<double>(*most);
      return;
    }
    const auto percent = battery.number("capacity");
    if (!percent) return;
    now += static_cast<double>(*percent);
    full += 100;
  }

  [[nodiscard]] std::optional<int> percent() const {
    if (full <= 0) return std::nullopt;
    return static_cast<int>(100 * now / full);
  }
};

}  // namespace

std::optional<PowerState> read_power_supplies(const std::string& folder) {
  Batteries batteries;
  bool has_source = false;
  bool is_fed = false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const Supply supply(entry.path());
    if (!supply.feeds_the_machine()) continue;
    if (supply.is_battery()) {
      batteries.add(supply);
    } else if (const auto online = supply.number("online")) {
      has_source = true;
      is_fed = is_fed || *online != 0;
    }
  }
  if (!has_source && batteries.count == 0) return std::nullopt;
  // With neither a source nor a word of the battery's, as on some tablets, nothing says that it is
  // unplugged.
  const bool on_battery = !is_fed && batteries.count > 0 && (has_source || batteries.discharging);
  return PowerState{on_battery, batteries.percent()};
}

}  // namespace lull::os
