#include "runner/os/unranked_meter.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>

namespace lull::os {
namespace {

Fd open_usage(const std::string& group) {
  return Fd(::open((group + "/cpu.stat").c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

void UnrankedMeter::look_at(const std::string& folder) {
  std::string group = folder.empty() ? "" : ranking_group(folder);
  if (group == group_) return;
  group_ = std::move(group);
  ++number_;
  all_.clear();
  ranked_.reset();
  if (group_.empty()) return;
  ranked_ = open_usage(group_);
  for (const std::string& top : groups_at_top(group_))
    all_.push_back(open_usage(top));
}

std::optional<Unranked> UnrankedMeter::read(std::vector<char>& buffer) const {
  if (!ranked_) return std::nullopt;
  const auto ranked = parse_cpu_usage(reread(ranked_, buffer));
  if (!ranked) return std::nullopt;
  Unranked outside{number_, -*ranked};
  for (const Fd& group : all_) {
    const auto usage = parse_cpu_usage(reread(group, buffer));
    if (!usage) return std::nullopt;  // it is gone; the next look finds those that are there
    outside.cpu += *usage;
  }
  return outside;
}

}  // namespace lull::os
