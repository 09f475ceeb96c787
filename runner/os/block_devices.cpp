#include "runner/os/block_devices.hpp"

#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

namespace lull::os {
namespace {

namespace fs = std::filesystem;

std::string first_line(const std::string& path) {
  const auto text = read_file(path);
  return text ? text->substr(0, text->find('\n')) : "";
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code missing;  // a device without such a folder has nothing in it
  for (fs::directory_iterator entry(folder, missing), end; entry != end; entry.increment(missing))
    names.push_back(entry->path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

/// Walks down from paths and collects the devices that it meets.
class Walk {
 public:
  explicit Walk(std::string root);

  void add_path(const std::string& path);
  std::vector<BlockDevice> take();

 private:
  /// The names of the devices on top of which the path is.
  std::vector<std::string> tops_of(const std::string& path, int depth);
  std::vector<std::string> tops_of(const Mount& mount, int depth);
  /// Adds the device of a folder in /sys, and those below; returns its name.
  std::string add_device(fs::path folder, int depth);
  void add_below(BlockDevice& device, const fs::path& folder, int depth);
  void name_path(const std::string& device, const std::string& path);
  Honours weigh(const std::string& name, std::set<std::string> seen);
  [[nodiscard]] std::optional<fs::path> folder_of_source(const std::string& source) const;
  [[nodiscard]] std::vector<fs::path> with_btrfs_siblings(const fs::path& folder) const;
  BlockDevice* find(const std::string& name);

  std::string root_;
  KernelVersion kernel_;
  std::vector<Mount> mounts_;
  std::vector<BlockDevice> devices_;
};

/// A loop's file may lie on an overlay on a loop …; nobody stacks so many.
constexpr int kDeepest = 16;

Walk::Walk(std::string root) : root_(std::move(root)) {
  const auto version = parse_kernel_version(first_line(root_ + "/proc/sys/kernel/osrelease"));
  if (version) kernel_ = *version;  // else the oldest, which promises least
  const auto mountinfo = read_file(root_ + "/proc/self/mountinfo");
  if (!mountinfo) return;  // no /proc: nothing is known
  auto mounts = parse_mounts(*mountinfo);
  if (mounts) mounts_ = std::move(*mounts);
}

void Walk::add_path(const std::string& path) {
  for (const std::string& top : tops_of(path, 0))
    name_path(top, path);
}

std::vector<BlockDevice> Walk::take() {
  for (BlockDevice& device : devices_)
    device.honours = weigh(device.name, {});
  return std::move(devices_);
}

BlockDevice* Walk::find(const std::string& name) {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const BlockDevice& device) { return device.name == name; });
  return found == devices_.end() ? nullptr : &*found;
}

std::vector<std::string> Walk::tops_of(const std::string& path, int depth) {
  const Mount* mount = mount_of(mounts_, path);
  if (mount == nullptr || depth > kDeepest) return {};
  if (!mount->upper.empty()) return tops_of(mount->upper, depth + 1);
  return tops_of(*mount, depth);
}

std::vector<std::string> Walk::tops_of(const Mount& mount, int depth) {
  std::error_code missing;
  std::optional<fs::path> folder = fs::canonical(root_ + "/sys/dev/block/" + mount.device, missing);
  // btrfs gives each subvolume an anonymous number; the mount's source names one of its devices.
  if (missing) folder = folder_of_source(mount.source);
  if (!folder) {
    if (find(mount.source) == nullptr) {
      devices_.push_back({.name = mount.source,
                          .title = mount.type,
                          .kind = DeviceKind::none,
                          .scheduler = "none",
                          .available = {},
                          .below = {},
                          .paths = {}});
    }
    return {mount.source};
  }
  std::vector<std::string> names;
  for (const fs::path& each : with_btrfs_siblings(*folder))
    names.push_back(add_device(each, depth));
  return names;
}

std::optional<fs::path> Walk::folder_of_source(const std::string& source) const {
  if (source.compare(0, 5, "/dev/") != 0) return std::nullopt;
  std::error_code missing;
  const fs::path node = fs::canonical(root_ + source, missing);
  const std::string name = (missing ? fs::path(source) : node).filename();
  const std::string blocks = root_ + "/sys/class/block/";
  fs::path folder = fs::canonical(blocks + name, missing);
  if (!missing) return folder;
  for (const std::string& mapper : names_in(blocks)) {
    if (first_line(blocks + mapper + "/dm/name") == name) return fs::canonical(blocks + mapper);
  }
  return std::nullopt;
}

/// All devices of the btrfs that this one belongs to; only itself if to none.
std::vector<fs::path> Walk::with_btrfs_siblings(const fs::path& folder) const {
  const fs::path all = root_ + "/sys/fs/btrfs";
  for (const std::string& uuid : names_in(all)) {
    std::vector<fs::path> siblings;
    for (const std::string& name : names_in(all / uuid / "devices")) {
      std::error_code missing;
      fs::path sibling = fs::canonical(root_ + "/sys/class/block/" + name, missing);
      if (!missing) siblings.push_back(std::move(sibling));
    }
    if (std::find(siblings.begin(), siblings.end(), folder) != siblings.end()) return siblings;
  }
  return {folder};
}

DeviceKind kind_of(const fs::path& folder) {
  if (fs::exists(folder / "dm")) {
    const std::string uuid = first_line(folder / "dm/uuid");
    return uuid.compare(0, 6, "CRYPT-") == 0 ? DeviceKind::crypt : DeviceKind::mapper;
  }
  if (fs::exists(folder / "md")) return DeviceKind::md;
  return fs::exists(folder / "loop") ? DeviceKind::loop : DeviceKind::disk;
}

std::string Walk::add_device(fs::path folder, int depth) {
  if (fs::exists(folder / "partition")) folder = folder.parent_path();
  std::string name = folder.filename();
  if (find(name) != nullptr) return name;
  BlockDevice device{.name = name,
                     .title = first_line(folder / "dm/name"),
                     .kind = kind_of(folder),
                     .scheduler = "none",
                     .available = {},
                     .below = {},
                     .paths = {}};
  const auto schedulers = parse_schedulers(first_line(folder / "queue/scheduler"));
  if (schedulers) {  // a device whose driver takes bios, as many mappers, has no such file
    device.scheduler = schedulers->chosen;
    device.available = schedulers->available;
  }
  devices_.push_back(device);
  if (depth <= kDeepest) add_below(device, folder, depth);
  *find(name) = std::move(device);
  return name;
}

void Walk::add_below(BlockDevice& device, const fs::path& folder, int depth) {
  const auto add = [&](std::string name) {
    const auto& below = device.below;
    const bool known = std::find(below.begin(), below.end(), name) != below.end();
    if (!known) device.below.push_back(std::move(name));
  };
  for (const std::string& slave : names_in(folder / "slaves")) {
    std::error_code missing;
    const fs::path target = fs::canonical(folder / "slaves" / slave, missing);
    if (!missing) add(add_device(target, depth + 1));
  }
  const std::string file = first_line(folder / "loop/backing_file");
  if (file.empty()) return;
  for (std::string& top : tops_of(file, depth + 1))
    add(std::move(top));
}

void Walk::name_path(const std::string& name, const std::string& path) {
  BlockDevice* device = find(name);
  if (device == nullptr) return;
  auto& paths = device->paths;
  if (std::find(paths.begin(), paths.end(), path) != paths.end()) return;  // also ends a cycle
  paths.push_back(path);
  for (const std::string& below : device->below)
    name_path(below, path);
}

Honours Walk::weigh(const std::string& name, std::set<std::string> seen) {
  const BlockDevice* device = find(name);
  if (device == nullptr || !seen.insert(name).second) return Honours::nothing;
  const Honours own = honours_of(device->scheduler, kernel_);
  // A loop's own thread does the I/O to its file, and a mapper with a queue sorts by itself.
  const bool passes_on = device->kind != DeviceKind::loop && own == Honours::nothing;
  if (device->below.empty() || !passes_on) return own;
  Honours weakest = Honours::classes_and_levels;
  for (const std::string& below : device->below)
    weakest = std::min(weakest, weigh(below, seen));
  return weakest;
}

}  // namespace

std::vector<BlockDevice> devices_below(const std::string& root,
                                       const std::vector<std::string>& paths) {
  Walk walk(root);
  for (const std::string& path : paths)
    walk.add_path(path);
  return walk.take();
}

}  // namespace lull::os
