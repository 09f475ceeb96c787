#include "runner/os/local_path.hpp"

#include "runner/os/fd.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

namespace lull::os {
namespace {

/// FUSE is not among them, whatever is below it.
constexpr std::array<std::string_view, 22> kLocal{
    "bcachefs", "btrfs",    "devtmpfs", "erofs", "exfat",  "ext2",  "ext3",    "ext4",
    "f2fs",     "hfsplus",  "iso9660",  "jfs",   "nilfs2", "ntfs3", "overlay", "ramfs",
    "reiserfs", "squashfs", "tmpfs",    "udf",   "vfat",   "xfs"};

bool is_local(const Mount& mount) {
  return mount.type == "zfs" || std::find(kLocal.begin(), kLocal.end(), mount.type) != kLocal.end();
}

/// The mount that shows the path; null where the way there leads over one that is not local.
const Mount* local_mount_of(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* const shown_by = mount_of(mounts, path);
  for (const Mount* mount = shown_by; mount != nullptr && is_local(*mount);) {
    if (mount->point == "/") return shown_by;
    mount = mount_of(mounts, std::filesystem::path(mount->point).parent_path().string());
  }
  return nullptr;
}

Fd open_below(const Fd& root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(O_PATH | O_CLOEXEC | flags);
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  const std::string& name = path.empty() ? "." : path;
  return Fd(static_cast<int>(
      ::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof how)));  // NOLINT(*-vararg)
}

/// The last folder on the way to `path`, which is relative to `root`.
std::string deepest_folder(const Fd& root, std::filesystem::path path) {
  do {
    path = path.parent_path();
  } while (!path.empty() && !open_below(root, path, O_DIRECTORY));
  return path;
}

/// Whether the next step on the way is a symbolic link, which leads nowhere as yet.
bool has_link_below(const Fd& root, const std::filesystem::path& folder, const std::string& below) {
  const auto rest = std::filesystem::path(below).lexically_relative(folder.empty() ? "." : folder);
  if (rest.empty()) return false;
  const Fd step = open_below(root, (folder / *rest.begin()).string(), O_NOFOLLOW);
  struct stat status {};
  return step && ::fstat(step.get(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

LocalPath look_for(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* const mount = local_mount_of(mounts, path);
  if (mount == nullptr) return {};
  const Fd root(::open(mount->point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return {};
  const std::filesystem::path point(mount->point);
  const std::string below =
      path == mount->point ? "" : path.substr(point == "/" ? 1 : mount->point.size() + 1);
  if (open_below(root, below, 0)) return {LocalPath::Is::there, ""};
  if (errno != ENOENT && errno != ENOTDIR) return {};
  const std::filesystem::path folder = deepest_folder(root, below);
  if (has_link_below(root, folder, below)) return {};  // it appears elsewhere, if at all
  return {LocalPath::Is::missing, point / folder};
}

}  // namespace lull::os
