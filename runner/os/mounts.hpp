#pragma once

#include "runner/os/block_devices.hpp"
#include "runner/os/fd.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// This process's mounts, as they are now; none where /proc/self/mountinfo cannot be read.
std::vector<Mount> read_mounts();

/// Whether something is mounted right there. An automount that nobody has used yet is nothing.
bool is_mount_point(const std::vector<Mount>& mounts, std::string_view path);

/// Whether the file system with this UUID is mounted anywhere, by the links of udev(7) in
/// /dev/disk/by-uuid.
bool is_volume_mounted(const std::vector<Mount>& mounts, const std::string& uuid);

/// /proc/self/mountinfo, which polls as an error (POLLERR, POLLPRI) after each change of the mounts
/// (proc_pid_mounts(5)).
Result<Fd> watch_mounts();

}  // namespace lull::os
