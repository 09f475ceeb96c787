#include "runner/os/foreground_groups.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace lull::os {
namespace {

Fd open_in(const std::string& folder, const char* file) {
  return Fd(::open((folder + "/" + file).c_str(), O_RDONLY | O_CLOEXEC));
}

/// One that holds nothing but the daemon and its keepers.
Fd open_own_io() {
  const auto own = own_unified_group();
  return own && own->ends_with("/lull.service") ? open_in(*own, "io.stat") : Fd();
}

}  // namespace

ForegroundGroups::Group::Group(const std::string& folder)
    : pressure(open_in(folder, "cpu.pressure")), io(open_in(folder, "io.stat")) {}

void ForegroundGroups::look_around(const std::string& folder, std::set<std::string> disks) {
  auto known = std::exchange(groups_, {});
  disks_ = std::move(disks);
  if (!folder.ends_with(".scope")) return;
  own_io_ = open_own_io();
  for (const Neighbour& neighbour : neighbours_of(folder)) {
    const auto found = known.find(neighbour.folder);
    if (found == known.end()) {
      groups_.emplace(neighbour.folder, neighbour.folder);
      continue;
    }
    // A controller may have been turned on meanwhile.
    if (!found->second.io) found->second.io = open_in(neighbour.folder, "io.stat");
    groups_.insert(known.extract(found));
  }
}

std::optional<Duration> ForegroundGroups::stall(std::vector<char>& buffer) {
  std::optional<Duration> longest;
  for (auto& [folder, group] : groups_) {
    const auto waited = parse_stall(reread(group.pressure, buffer));
    if (!waited) continue;  // it is gone, or PSI is off
    longest = std::max(longest.value_or(Duration(0)), *waited - group.waited.value_or(*waited));
    group.waited = *waited;
  }
  if (!longest) return std::nullopt;
  longest_ += *longest;
  return longest_;
}

std::optional<std::uint64_t> ForegroundGroups::requests(std::vector<char>& buffer) const {
  if (groups_.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  for (const auto& [folder, group] : groups_) {
    if (!group.io) return std::nullopt;
    sum += parse_group_requests(reread(group.io, buffer), disks_);
  }
  return sum - parse_group_requests(reread(own_io_, buffer), disks_);
}

}  // namespace lull::os
