#include "jobs/block_device.hpp"

#include <algorithm>

namespace lull {

std::string_view to_string(Honours honours) {
  switch (honours) {
    case Honours::nothing:
      return "nothing";
    case Honours::classes:
      return "classes";
    case Honours::classes_and_levels:
      return "classes and levels";
  }
  return "nothing";
}

Honours honours_of(std::string_view scheduler, KernelVersion kernel) {
  if (scheduler == "bfq") return Honours::classes_and_levels;
  if (scheduler == "mq-deadline" && kernel >= KernelVersion{5, 14}) return Honours::classes;
  return Honours::nothing;
}

bool is_below_crypt(const std::vector<BlockDevice>& devices, const std::string& name) {
  return std::any_of(devices.begin(), devices.end(), [&](const BlockDevice& device) {
    const auto& below = device.below;
    if (std::find(below.begin(), below.end(), name) == below.end()) return false;
    // The kernel stacks devices without cycles, but a loop's file may make us see one.
    if (device.kind == DeviceKind::loop || device.name == name) return false;
    return device.kind == DeviceKind::crypt || is_below_crypt(devices, device.name);
  });
}

}  // namespace lull
