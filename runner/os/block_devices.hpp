#pragma once

#include "jobs/block_device.hpp"
#include "jobs/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// One mount, proc_pid_mountinfo(5).
struct Mount {
  std::string device;  ///< "MAJOR:MINOR"; major 0 where the file system has no device of its own
  std::string point;
  std::string type;
  std::string source;
  std::string upper;  ///< an overlay's upperdir, else empty
  bool operator==(const Mount&) const = default;
};

/// All lines of mountinfo; an error at the first that is none.
Result<std::vector<Mount>> parse_mounts(std::string_view mountinfo);

/// The mount that shows `path`, which is absolute and without links; null if there is none.
const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path);

/// What /sys/block/NAME/queue/scheduler says.
struct Schedulers {
  std::string chosen;
  std::vector<std::string> available;
  bool operator==(const Schedulers&) const = default;
};

/// "none [mq-deadline] kyber", or one bare word where there is no choice.
Result<Schedulers> parse_schedulers(std::string_view text);

/// "6.1.0-25-amd64" and its like, /proc/sys/kernel/osrelease.
Result<KernelVersion> parse_kernel_version(std::string_view text);

/// The devices below the paths, each once, with the paths that end up there: partitions as their
/// disk, and through device-mapper, RAID and loop devices to the disks at the bottom. Reads /proc
/// and /sys below `root`, "" for the machine itself. Paths are absolute and without links, and need
/// not exist.
std::vector<BlockDevice> devices_below(const std::string& root,
                                       const std::vector<std::string>& paths);

}  // namespace lull::os
