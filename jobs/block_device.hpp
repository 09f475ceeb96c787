#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// What a device makes of an I/O priority, ioprio_set(2). In the order of how much.
enum class Honours { nothing, classes, classes_and_levels };
std::string_view to_string(Honours honours);

/// The numbers of a release such as "6.1.0-25-amd64".
struct KernelVersion {
  int major = 0;
  int minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

enum class DeviceKind {
  disk,
  mapper,  ///< device-mapper, as LVM
  crypt,   ///< device-mapper with dm-crypt
  md,      ///< software RAID
  loop,
  none,  ///< no block device at all: a network or memory file system
};

/// A whole disk, or what stands on disks: never a partition.
struct BlockDevice {
  std::string name;   ///< as in /sys/block; for `none`, the mount's source
  std::string title;  ///< a device-mapper's own name; else empty
  DeviceKind kind = DeviceKind::disk;
  std::string scheduler;               ///< the chosen one; "none" too where requests are not queued
  std::vector<std::string> available;  ///< schedulers that can be chosen, modules left out
  Honours honours = Honours::nothing;  ///< what I/O to it meets, on the weakest disk below
  std::vector<std::string> below;      ///< the devices directly below, by name
  std::vector<std::string> paths;      ///< of those asked for, which end up here
  bool operator==(const BlockDevice&) const = default;
};

/// What a scheduler makes of I/O priorities: Documentation/block/ioprio.rst. mq-deadline has
/// classes since Linux 5.14.
Honours honours_of(std::string_view scheduler, KernelVersion kernel);

/// Whether a dm-crypt stands somewhere above the device of that name.
bool is_below_crypt(const std::vector<BlockDevice>& devices, const std::string& name);

}  // namespace lull
