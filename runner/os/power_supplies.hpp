#pragma once

#include "jobs/gates.hpp"

#include <optional>
#include <string>

namespace lull::os {

/// What the kernel says of the machine's power (/sys/class/power_supply, ABI
/// testing/sysfs-class-power); nothing where it knows of no supply. What feeds a device alone (a
/// mouse's battery, scope "Device") does not count; a source that is online counts whatever the
/// batteries say, since a weak adapter does not stop their discharge.
std::optional<PowerState> read_power_supplies(
    const std::string& folder = "/sys/class/power_supply");

}  // namespace lull::os
