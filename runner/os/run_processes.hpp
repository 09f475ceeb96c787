#pragma once

#include "runner/os/process.hpp"

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace lull::os {

/// The processes of one run, as they can be found from outside its keeper.
struct RunProcesses {
  ProcessIdentity keeper;
  pid_t main = 0;
  std::vector<std::string> cgroups;  ///< the run's own, absolute folders
  bool operator==(const RunProcesses&) const = default;
};

/// A cgroup of the run that has this file; empty where none has.
std::string folder_with(const RunProcesses& run, const std::string& file);

/// Whether nothing is left in a group, v2 or v1, or the group itself is gone, because somebody
/// moved the job elsewhere: what is done to the group then does nothing to the job.
bool is_emptied(const std::string& folder);

/// Everything below the keeper at this moment, parents before their children. Found by descent, so
/// a process that left its session or cgroup is found as well.
std::vector<ProcessStat> family_of(const RunProcesses& run);
/// A zombie, which waits to be reaped.
bool has_exited(const ProcessStat& process);
/// The same without those that have ended and wait to be reaped.
std::vector<ProcessStat> tree_of(const RunProcesses& run);

/// Whether a process is some run's keeper.
bool is_keeper(pid_t process);
/// Whether a process descends from another.
bool descends_from(pid_t process, pid_t ancestor);
/// Whether it is below a keeper: part of a run, whatever it is itself, as a `lull run` in a job.
bool belongs_to_run(pid_t process);

/// Calls `act` for each process of the tree, then for each that was born meanwhile, until a look
/// finds no new one. A child that inherits what `act` sets needs no second visit.
void for_each_process(const RunProcesses& run, const std::function<void(const ProcessStat&)>& act);

}  // namespace lull::os
