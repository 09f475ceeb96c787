#include "runner/os/cgroups.hpp"

#include "runner/os/fd.hpp"
#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace lull::os {
namespace {

constexpr std::array kUsedControllers{"cpu", "freezer", "memory", "blkio"};

struct CgroupMount {
  std::string root;
  CgroupHierarchy hierarchy;
};

/// "36 35 98:0 ROOT MOUNT OPTIONS [TAG…] - TYPE SOURCE SUPER_OPTIONS" (proc(5)).
std::vector<CgroupMount> cgroup_mounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const std::vector<std::string_view> fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 6 || fields.end() - dash < 4) continue;
    const std::string_view type = dash[1];
    if (type != "cgroup" && type != "cgroup2") continue;
    CgroupMount mount{unescape_mount(fields[3]),
                      {.mount = unescape_mount(fields[4]), .own = "", .controllers = {}}};
    mount.hierarchy.unified = type == "cgroup2";
    for (const std::string_view option : split(dash[3], ',')) {
      mount.hierarchy.controllers.emplace_back(option);
    }
    if (mount.hierarchy.unified) mount.hierarchy.controllers.clear();
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

bool shares_controller(const CgroupHierarchy& hierarchy, std::string_view list) {
  const std::vector<std::string_view> names = split(list, ',');
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), name) !=
           hierarchy.controllers.end();
  });
}

/// The own group of a hierarchy from the lines "ID:CONTROLLERS:PATH" of /proc/self/cgroup.
std::string own_group(const CgroupHierarchy& hierarchy, std::string_view cgroup) {
  for (const std::string_view line : split(cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    if (hierarchy.unified ? names.empty() : shares_controller(hierarchy, names)) {
      return std::string(line.substr(second + 1));
    }
  }
  return "";
}

/// One that root left here (`sudo lull run`) is made anew, if nothing is in it.
bool make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return false;
  if (::access(path.c_str(), W_OK) == 0) return true;
  return ::rmdir(path.c_str()) == 0 && ::mkdir(path.c_str(), 0755) == 0;
}

bool has(const CgroupHierarchy& hierarchy, std::string_view controller) {
  return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) !=
         hierarchy.controllers.end();
}

/// A v2 group's children have the controllers that it hands on, which are at most those that it was
/// given itself: what there is is handed on, and what the kernel then says counts.
CgroupHierarchy with_controllers(CgroupHierarchy hierarchy, const std::string& folder) {
  const std::string path = folder + "/cgroup.subtree_control";
  for (const char* controller : {"+cpu", "+memory", "+io"}) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file) (void)!::write(file.get(), controller, std::strlen(controller));
  }
  const auto handed_on = read_file(path);
  if (!handed_on) return hierarchy;
  for (const std::string_view name : words_of(*handed_on))
    hierarchy.controllers.emplace_back(name);
  return hierarchy;
}

/// The name of a v1 hierarchy's knob, by the first controller in it that we use; "" for none.
std::string knob_of(const CgroupHierarchy& hierarchy) {
  if (hierarchy.unified) return "cgroup";
  const auto* used = std::find_if(kUsedControllers.begin(), kUsedControllers.end(),
                                  [&](const char* name) { return has(hierarchy, name); });
  return used == kUsedControllers.end() ? "" : std::string("cgroup.") + *used;
}

/// The unified hierarchy, if no v1 hierarchy is beside it.
std::optional<CgroupHierarchy> sole_hierarchy() {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto cgroup = read_file("/proc/self/cgroup");
  if (!mountinfo || !cgroup) return std::nullopt;
  auto hierarchies = parse_hierarchies(*mountinfo, *cgroup);
  if (hierarchies.size() != 1 || !hierarchies.front().unified) return std::nullopt;
  return std::move(hierarchies.front());
}

}  // namespace

std::vector<CgroupHierarchy> parse_hierarchies(std::string_view mountinfo,
                                               std::string_view cgroup) {
  std::vector<CgroupHierarchy> hierarchies;
  for (CgroupMount& mount : cgroup_mounts(mountinfo)) {
    mount.hierarchy.own = own_group(mount.hierarchy, cgroup);
    // In a container the mount may show a part of the hierarchy only: paths begin at its root.
    std::string& own = mount.hierarchy.own;
    if (mount.root != "/" && own.compare(0, mount.root.size(), mount.root) == 0) {
      own.erase(0, mount.root.size());
      if (own.empty()) own.push_back('/');
    }
    if (!own.empty()) hierarchies.push_back(std::move(mount.hierarchy));
  }
  return hierarchies;
}

std::vector<std::string> groups_called(const std::string& name, pid_t process) {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto cgroup = read_file("/proc/" + std::to_string(process) + "/cgroup");
  if (!mountinfo || !cgroup) return {};
  std::vector<std::string> folders;
  for (const CgroupHierarchy& hierarchy : parse_hierarchies(*mountinfo, *cgroup)) {
    if (hierarchy.own.ends_with("/" + name)) folders.push_back(hierarchy.mount + hierarchy.own);
  }
  return folders;
}

int weight_of_nice(int nice) {
  // kernel/sched/core.c, sched_prio_to_weight: each step is a factor of about 1.25.
  constexpr std::array kWeights{
      88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
      3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
      172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15};
  const int step = std::clamp(nice, -20, 19) + 20;
  return kWeights[static_cast<std::size_t>(step)];
}

int cpu_weight_of_nice(int nice) { return std::max(1, (weight_of_nice(nice) * 100 + 512) / 1024); }

int io_weight_of(const Level& level) {
  const int weight =
      level.io.io_class == IoClass::idle ? 1 : weight_of_nice(level.nice) * 100 / 1024;
  return std::clamp(weight, 1, 1000);
}

std::optional<std::string> sole_unified_mount() {
  const auto sole = sole_hierarchy();
  return sole ? std::optional(sole->mount) : std::nullopt;
}

std::optional<std::string> own_unified_group() {
  const auto sole = sole_hierarchy();
  return sole ? std::optional(sole->mount + sole->own) : std::nullopt;
}

CgroupParents CgroupParents::make() {
  const auto mountinfo = read_file("/proc/self/mountinfo");
  const auto cgroup = read_file("/proc/self/cgroup");
  if (!mountinfo || !cgroup) return {};  // no /proc, no groups
  return make(parse_hierarchies(*mountinfo, *cgroup));
}

CgroupParents CgroupParents::make(const std::vector<CgroupHierarchy>& hierarchies) {
  CgroupParents parents;
  for (const CgroupHierarchy& hierarchy : hierarchies) {
    const std::string knob = knob_of(hierarchy);
    if (knob.empty()) continue;
    const std::string own = hierarchy.own == "/" ? "" : hierarchy.own;
    const std::string folder = hierarchy.mount + own + "/lull";
    if (!make_folder(folder)) continue;
    const CgroupHierarchy ours =
        hierarchy.unified ? with_controllers(hierarchy, folder) : hierarchy;
    Parent parent{knob, folder, folder, ours.unified, has(ours, "cpu"), has(ours, "memory")};
    if (parent.cpu) parent.ordinary = parent.unified ? folder + "-ordinary" : "";
    if (parent.cpu && parent.unified && make_folder(parent.ordinary)) {
      (void)with_controllers(hierarchy, parent.ordinary);
    }
    parents.parents_.push_back(std::move(parent));
  }
  return parents;
}

std::vector<CgroupPlacement> CgroupParents::placements(const Level& level, bool adapts,
                                                       std::optional<Bytes> memory) const {
  std::vector<CgroupPlacement> placements;
  for (const Parent& parent : parents_) {
    const std::string& folder = adapts ? parent.folder : parent.ordinary;
    if (folder.empty()) continue;
    CgroupPlacement placement{parent.knob, folder, parent.unified, {}};
    if (parent.cpu && parent.unified) {
      placement.settings.emplace_back("cpu.weight.nice", std::to_string(level.nice));
    } else if (parent.cpu) {
      placement.settings.emplace_back("cpu.shares", std::to_string(weight_of_nice(level.nice)));
    }
    // Kernel 5.15; an older one has no such file.
    if (parent.cpu && level.nice >= kIdleNice) placement.settings.emplace_back("cpu.idle", "1");
    if (parent.memory && memory) {
      placement.settings.emplace_back(parent.unified ? "memory.high" : "memory.soft_limit_in_bytes",
                                      std::to_string(memory->count));
    }
    placements.push_back(std::move(placement));
  }
  return placements;
}

}  // namespace lull::os
