#pragma once

#include <string>
#include <vector>

namespace lull::os {

/// The names of all disks in `folder` (/sys/block) that are not stacked on another and so would be
/// counted twice: no dm, md or loop device; nor any without a size.
std::vector<std::string> list_disks(const std::string& folder = "/sys/block");

/// The number of one, "254:0"; empty if it is gone.
std::string disk_number(const std::string& name, const std::string& folder = "/sys/block");

}  // namespace lull::os
