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
  if (events) return events->find("populated 0") != std::string::npos;
  const auto processes = read_file(folder + "/cgroup.procs");  // v1 has no events
  return !processes || processes->empty();
}

bool has_exited(const ProcessStat& process) { return process.state == 'Z' || process.state == 'X'; }

std::vector<ProcessStat> family_of(const RunProcesses& run) {
  std::vector<ProcessStat> family;
  std::vector<pid_t> parents{run.keeper.pid};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const pid_t child : children_of(parent)) {
      auto stat = read_process_stat(child);
      if (!stat) continue;
      family.push_back(std::move(*stat));
      parents.push_back(child);
    }
  }
  return family;
}

std::vector<ProcessStat> tree_of(const RunProcesses& run) {
  auto tree = family_of(run);
  std::erase_if(tree, has_exited);
  return tree;
}

bool is_keeper(pid_t process) {
  const auto name = read_file("/proc/" + std::to_string(process) + "/comm");
  return name && *name == "lull-keeper\n";
}

bool descends_from(pid_t process, pid_t ancestor) {
  for (auto stat = read_process_stat(process); stat && stat->parent > 0;
       stat = read_process_stat(stat->parent)) {
    if (stat->parent == ancestor) return true;
  }
  return false;
}

bool belongs_to_run(pid_t process) {
  for (auto stat = read_process_stat(process); stat && stat->parent > 1;
       stat = read_process_stat(stat->parent)) {
    if (is_keeper(stat->parent)) return true;
  }
  return false;
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
