#include "runner/os/mounts.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace lull::os {
namespace {

constexpr const char* kMountinfo = "/proc/self/mountinfo";

}  // namespace

std::vector<Mount> read_mounts() {
  const auto text = read_file(kMountinfo);
  if (!text) return {};
  auto mounts = parse_mounts(*text);
  return mounts ? std::move(*mounts) : std::vector<Mount>();
}

bool is_mount_point(const std::vector<Mount>& mounts, std::string_view path) {
  while (path.size() > 1 && path.back() == '/')
    path.remove_suffix(1);
  return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
    return mount.point == path && mount.type != "autofs";
  });
}

/// By the device's number, or its name where the file system has a number of its own (btrfs).
bool is_volume_mounted(const std::vector<Mount>& mounts, const std::string& uuid) {
  const std::string link = "/dev/disk/by-uuid/" + uuid;
  struct stat device {};
  if (::stat(link.c_str(), &device) != 0 || !S_ISBLK(device.st_mode)) return false;
  const std::string number =
      std::to_string(major(device.st_rdev)) + ":" + std::to_string(minor(device.st_rdev));
  std::error_code error;
  const std::string name = std::filesystem::canonical(link, error);
  return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
    return mount.device == number || mount.source == name;
  });
}

Result<Fd> watch_mounts() {
  Fd watch(::open(kMountinfo, O_RDONLY | O_CLOEXEC));
  if (!watch) return errno_error(std::string("open ") + kMountinfo);
  return watch;
}

}  // namespace lull::os
