#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// A disk on which nothing is stacked that would be counted twice: no dm, md or loop device.
struct Disk {
  std::string name;
  bool honours_priorities = false;  ///< bfq: classes and levels hold, the kernel does it all
};

/// All of them, from `folder` (/sys/block).
std::vector<Disk> list_disks(const std::string& folder = "/sys/block");

}  // namespace lull::os
