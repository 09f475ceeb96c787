#include "runner/os/cgroup_tree.hpp"

#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace lull::os {
namespace {

/// Every group but the root has this file.
bool is_root(const std::string& folder) {
  return ::access((folder + "/cgroup.type").c_str(), F_OK) != 0;
}

/// The groups in a group, sorted.
std::vector<std::string> groups_in(const std::string& folder) {
  std::vector<std::string> groups;
  std::error_code gone;  // it goes as we look
  for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
    if (entry.is_directory(gone)) groups.push_back(entry.path());
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace

std::string name_of(const std::string& folder) { return folder.substr(folder.rfind('/') + 1); }
std::string parent_of(const std::string& folder) { return folder.substr(0, folder.rfind('/')); }

std::vector<std::string> lull_groups_above(std::string folder) {
  std::vector<std::string> groups;
  for (;;) {
    folder.resize(std::min(folder.rfind('/'), folder.size()));
    const std::string name = name_of(folder);
    if (!is_lull_slice(name) && name != "lull") return groups;
    groups.push_back(folder);
  }
}

std::vector<Neighbour> neighbours_of(const std::string& folder) {
  const auto lulls = lull_groups_above(folder);
  std::vector<Neighbour> all;
  // A slice of lull's is not there before its first run.
  std::string ours = lulls.empty() ? folder : lulls.back();
  do {
    const std::string within = parent_of(ours);
    for (std::string& group : groups_in(within)) {
      const auto events = read_file(group + "/cgroup.events");
      const bool in_use = events && events->starts_with("populated 1");
      const std::string name = name_of(group);
      if (in_use && group != ours && name != "init.scope" && !is_lull_slice(name))
        all.push_back({std::move(group), ours});
    }
    ours = within;
  } while (!is_root(ours));
  return all;
}

std::vector<std::string> groups_at_top(const std::string& folder) {
  std::string root = folder;
  while (!is_root(root))
    root = parent_of(root);
  return groups_in(root);
}

std::optional<GroupWeight> weight_of(const std::string& folder) {
  const auto weight = read_file(folder + "/cpu.weight");
  if (!weight) return std::nullopt;
  const auto idle = read_file(folder + "/cpu.idle");
  const auto number = whole_number<int>(std::string_view(*weight).substr(0, weight->find('\n')));
  return GroupWeight{number.value_or(GroupWeight{}.weight), idle && *idle == "1\n"};
}

std::string ranking_group(const std::string& folder) {
  const auto ours = lull_groups_above(folder);
  std::string within = parent_of(ours.empty() ? folder : ours.back());
  for (std::string group = within; !group.empty(); group = parent_of(group)) {
    const auto weight = weight_of(group);
    if (weight && is_kept_behind(*weight)) within = parent_of(group);
  }
  return is_root(within) ? "" : within;
}

}  // namespace lull::os
