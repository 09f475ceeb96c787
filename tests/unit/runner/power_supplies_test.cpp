#include "runner/os/power_supplies.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace {

using namespace lull;
using Attributes = std::map<std::string, std::string>;

/// A /sys/class/power_supply.
class Supplies {
 public:
  void put(const std::string& name, const Attributes& attributes) const {
    const std::string supply = folder_.path(name);
    std::filesystem::create_directory(supply);
    for (const auto& [attribute, value] : attributes)
      std::ofstream(std::filesystem::path(supply) / attribute) << value << '\n';
  }
  [[nodiscard]] std::optional<PowerState> read() const {
    return os::read_power_supplies(folder_.path());
  }

 private:
  tests::TempFolder folder_;
};

Attributes battery(const std::string& status) {
  return {{"type", "Battery"}, {"present", "1"},           {"status", status},
          {"capacity", "47"},  {"energy_now", "24000000"}, {"energy_full", "50000000"}};
}

TEST_CASE("power supplies: a machine without any, or without the folder, is not known") {
  const Supplies none;
  CHECK_FALSE(none.read());
  CHECK_FALSE(os::read_power_supplies("/nonexistent"));
}

TEST_CASE("power supplies: a laptop on mains and on battery") {
  const Supplies laptop;
  laptop.put("AC", {{"type", "Mains"}, {"online", "1"}});
  laptop.put("BAT0", battery("Charging"));
  CHECK(laptop.read() == PowerState{false, 48});
  laptop.put("AC", {{"type", "Mains"}, {"online", "0"}});
  laptop.put("BAT0", battery("Discharging"));
  CHECK(laptop.read() == PowerState{true, 48});
}

TEST_CASE("power supplies: a weak adapter does not stop the discharge, and is mains all the same") {
  const Supplies laptop;
  laptop.put("ucsi-source-psy-1", {{"type", "USB"}, {"online", "1"}});
  laptop.put("BAT0", battery("Discharging"));
  CHECK(laptop.read() == PowerState{false, 48});
}

TEST_CASE("power supplies: a mouse's battery is not the machine's") {
  const Supplies desktop;
  Attributes mouse = battery("Discharging");
  mouse["scope"] = "Device";
  desktop.put("hidpp_battery_0", mouse);
  CHECK_FALSE(desktop.read());
}

TEST_CASE("power supplies: without a source listed the battery's word counts") {
  const Supplies tablet;
  tablet.put("BAT0", battery("Full"));
  CHECK(tablet.read() == PowerState{false, 48});
  tablet.put("BAT0", battery("Discharging"));
  CHECK(tablet.read() == PowerState{true, 48});
}

TEST_CASE("power supplies: several batteries are weighed, an empty bay is none") {
  const Supplies laptop;
  laptop.put("AC", {{"type", "Mains"}, {"online", "0"}});
  laptop.put("BAT0", {{"type", "Battery"},
                      {"status", "Discharging"},
                      {"charge_now", "1000"},
                      {"charge_full", "4000"}});
  laptop.put("BAT1", {{"type", "Battery"}, {"present", "0"}, {"capacity", "100"}});
  CHECK(laptop.read() == PowerState{true, 25});
  const Supplies bare;
  bare.put("BAT0", {{"type", "Battery"}, {"status", "Discharging"}, {"capacity", "9"}});
  CHECK(bare.read() == PowerState{true, 9});
}

}  // namespace
