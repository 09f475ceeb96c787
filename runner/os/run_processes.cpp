#include "runner/os/run_processes.hpp"

#include "runner/os/read_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>

namespace lull::os {
namespace {

/// A tree that forks faster than we look is not followed for ever: children inherit.
constexpr int kMostLooks = 5;

}  // namespace

std::string folder_with(const RunProcesses& run, const std::string& file) {
  const auto found =
      std::find_if(run.cgroups.begin(), run.cgroups.end(), [&](const std::string& folder) {
        return ::access((folder + "/" + file).c_str(), W_OK) == 0;
      });
  return found == run.cgroups.end() ? "" : *found;
}

bool is_emptied(const std::string& folder) {
  const auto events = read_file(folder + "/cgroup.events");
  return events && events->find("populated 0") != std::string::npos;
}

std::vector<ProcessStat> tree_of(const RunProcesses& run) {
  std::vector<ProcessStat> tree;
  std::vector<pid_t> parents{run.keeper.pid};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const pid_t child : children_of(parent)) {
      auto stat = read_process_stat(child);
      if (!stat || stat->state == 'Z' || stat->state == 'X') continue;
      tree.push_back(std::move(*stat));
      parents.push_back(child);
    }
  }
  return tree;
}

void for_each_process(const RunProcesses& run, const std::function<void(const ProcessStat&)>& act) {
  std::set<pid_t> done;
  for (int look = 0; look < kMostLooks; ++look) {
    bool found_new = false;
    for (const ProcessStat& process : tree_of(run)) {
      if (!done.insert(process.pid).second) continue;
      found_new = true;
      act(process);
    }
    if (!found_new) return;
  }
}

}  // namespace lull::os
