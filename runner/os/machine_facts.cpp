#include "runner/os/machine_facts.hpp"

#include "runner/os/block_devices.hpp"
#include "runner/os/cgroup_tree.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/kernel_text.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace lull::os {
namespace {

using std::chrono::milliseconds;

bool accepts_psi_window(milliseconds window) {
  const Fd file(::open("/proc/pressure/cpu", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!file) return false;
  // "some STALL WINDOW", both in µs. The trigger goes with the descriptor.
  const std::string trigger = "some 100000 " + std::to_string(window.count() * 1000);
  return ::write(file.get(), trigger.c_str(), trigger.size() + 1) > 0;
}

/// The kernel takes 500 ms at the least, and whole multiples of 2 s without CAP_SYS_RESOURCE.
milliseconds shortest_psi_window() {
  for (const milliseconds window : {milliseconds(500), milliseconds(2000)}) {
    if (accepts_psi_window(window)) return window;
  }
  return milliseconds(0);
}

std::vector<std::string> names(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return {};
  const auto found = words_of(*text);
  return {found.begin(), found.end()};
}

/// A path below the machine's root.
class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] std::string path(const std::string& path) const { return root_ + path; }
  [[nodiscard]] bool has(const std::string& path) const {
    return ::access((root_ + path).c_str(), F_OK) == 0;
  }
  [[nodiscard]] std::string without_root(const std::string& path) const {
    return path.substr(root_.size());
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    const auto found = read_file(root_ + path);
    return found ? *found : "";
  }

 private:
  std::string root_;
};

std::string own_folder(const CgroupHierarchy& hierarchy) {
  return hierarchy.own == "/" ? hierarchy.mount : hierarchy.mount + hierarchy.own;
}

/// Whether lull's group below `own` may be made, or is there and ours with what it weighs.
bool may_have_group(const Tree& tree, const Permissions& permissions, const std::string& own) {
  const std::string lull = own + "/lull";
  if (!tree.has(lull)) return permissions.may_write(own);
  const std::string shares = lull + "/cpu.shares";
  return permissions.may_write(lull) && (!tree.has(shares) || permissions.may_write(shares));
}

Autogroup read_autogroup_state(const Tree& tree) {
  const std::string file = "/proc/sys/kernel/sched_autogroup_enabled";
  if (!tree.has(file)) return Autogroup::absent;
  return tree.text(file).substr(0, 1) == "0" ? Autogroup::off : Autogroup::on;
}

/// The nearest group around us that has the cpu controller; the root of all has no cpu.weight.
std::string v2_cpu_group(const Tree& tree, const CgroupHierarchy& hierarchy) {
  for (std::string folder = own_folder(hierarchy); folder.size() >= hierarchy.mount.size();
       folder.resize(folder.rfind('/'))) {
    if (tree.has(folder + "/cpu.weight")) return folder;
    if (folder == hierarchy.mount) break;
  }
  return "";
}

void add_v2(const Tree& tree, const Permissions& permissions, const CgroupHierarchy& hierarchy,
            MachineFacts& facts) {
  V2Group group;
  group.folder = own_folder(hierarchy);
  // Every group but the root has this file, also that which a container sees as its root.
  group.root = !tree.has(group.folder + "/cgroup.type");
  // A process moves only for who may write to the common ancestor, too; cgroups(7).
  const bool may_move = permissions.may_write(group.folder + "/cgroup.procs");
  group.writable = may_move && may_have_group(tree, permissions, group.folder);
  group.open = may_move && permissions.may_write(group.folder);
  group.available = names(tree.path(group.folder + "/cgroup.controllers"));
  group.enabled = names(tree.path(group.folder + "/cgroup.subtree_control"));
  facts.v2 = group;
  facts.iocost = parse_iocost(tree.text(hierarchy.mount + "/io.cost.qos"));
  if (facts.cpu_group.empty()) facts.cpu_group = v2_cpu_group(tree, hierarchy);
}

void add_v1(const Tree& tree, const Permissions& permissions, const CgroupHierarchy& hierarchy,
            MachineFacts& facts) {
  const std::string folder = own_folder(hierarchy);
  for (const std::string controller : {"cpu", "freezer", "memory", "blkio"}) {
    const auto& all = hierarchy.controllers;
    if (std::find(all.begin(), all.end(), controller) == all.end()) continue;
    facts.v1.push_back({controller, folder, may_have_group(tree, permissions, folder),
                        permissions.may_write(folder)});
    // Only the root of a v1 hierarchy has a release_agent.
    if (controller == "cpu" && !tree.has(folder + "/release_agent")) facts.cpu_group = folder;
  }
}

/// Those around the slice in which a manager puts the jobs' scopes, the nearest first.
void add_places(const Tree& tree, const std::string& mount, const std::string& slice,
                MachineFacts& facts) {
  // Where no job runs yet the controller may be off: scopes turn it on.
  const auto weight = [](const std::string& group) {
    return weight_of(group).value_or(GroupWeight{});
  };
  for (const auto& [group, ours] : neighbours_of(tree.path(slice + "/any"))) {
    const std::string within = parent_of(group);
    facts.places.push_back({name_of(group), tree.without_root(group),
                            within == tree.path(mount) ? "" : name_of(within), name_of(ours),
                            weight(ours), weight(group)});
  }
}

/// A manager hands on what it has been given, as soon as a scope needs it.
void add_scopes(const Tree& tree, const std::string& mount, const std::string& manager,
                MachineFacts& facts) {
  V2Group group;
  group.folder = mount + manager;
  group.root = manager.empty();
  group.writable = true;
  group.available = names(tree.path(group.folder + "/cgroup.controllers"));
  group.enabled = group.available;
  facts.scopes = true;
  const std::string slice = group.folder + "/lull.slice";
  facts.cpu_group = slice;
  facts.v2 = std::move(group);
  add_places(tree, mount, slice, facts);
}

void read_groups(const Tree& tree, const Permissions& permissions, MachineFacts& facts) {
  const auto hierarchies =
      parse_hierarchies(tree.text("/proc/self/mountinfo"), tree.text("/proc/self/cgroup"));
  const bool unified_alone = hierarchies.size() == 1 && hierarchies.front().unified;
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    if (unified_alone && permissions.manager) {
      facts.iocost = parse_iocost(tree.text(hierarchy.mount + "/io.cost.qos"));
      add_scopes(tree, hierarchy.mount, *permissions.manager, facts);
    } else if (hierarchy.unified) {
      add_v2(tree, permissions, hierarchy, facts);
    } else {
      add_v1(tree, permissions, hierarchy, facts);
    }
  }
}

}  // namespace

Permissions own_permissions() {
  const int own_nice = ::getpriority(PRIO_PROCESS, 0);  // cannot fail for ourselves
  return {own_nice,
          returnable_nice(),
          may_use_realtime_io(),
          shortest_psi_window(),
          std::nullopt,
          [](const std::string& path) { return ::access(path.c_str(), W_OK) == 0; }};
}

MachineFacts read_machine_facts(const std::string& root, const Permissions& permissions) {
  const Tree tree(root);
  MachineFacts facts;
  const auto kernel = parse_kernel_version(tree.text("/proc/sys/kernel/osrelease"));
  if (kernel) facts.kernel = *kernel;  // else the oldest, which promises least
  facts.autogroup = read_autogroup_state(tree);
  facts.own_nice = permissions.own_nice;
  facts.returnable_nice = permissions.returnable_nice;
  facts.realtime_io = permissions.realtime_io;
  for (const std::string name : {"cpu", "io", "memory"}) {
    // Where PSI is turned off the files may be there and refuse to be read.
    if (!tree.text("/proc/pressure/" + name).empty()) facts.psi.push_back(name);
  }
  if (!facts.psi.empty()) facts.psi_window = permissions.psi_window;
  read_groups(tree, permissions, facts);
  return facts;
}

bool parse_iocost(std::string_view text) {
  const auto all = words_of(text);
  return std::find(all.begin(), all.end(), "enable=1") != all.end();
}

}  // namespace lull::os
