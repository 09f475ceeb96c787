#pragma once

#include "jobs/priority.hpp"
#include "runner/os/sched.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace lull::cli {

/// `lull inspect`: exactly one of pid, pgrp and user.
struct InspectOptions {
  std::optional<pid_t> pid;
  std::optional<pid_t> pgrp;
  std::optional<std::string> user;  ///< by name or number: the real uid of the processes
  bool json = false;
};

/// What the kernel says of one process, that is, of its main thread: its other threads may have
/// priorities of their own and are not listed. Of several: the highest of each.
struct Standing {
  int nice = 0;
  IoPriority io;
  os::SchedPolicy policy = os::SchedPolicy::other;
  std::optional<int> autogroup_nice;  ///< none: the process is in no autogroup
  std::string cgroup;
  bool operator==(const Standing&) const = default;
};

struct InspectedProcess {
  pid_t pid = 0;
  std::string comm;
  Standing standing;
  bool operator==(const InspectedProcess&) const = default;
};

struct Inspection {
  Standing highest;
  std::vector<InspectedProcess> processes;
  std::vector<Error> unreadable;  ///< of processes that may or do match
};

/// The highest of each among processes, at least one: the lowest nice values, the first I/O
/// priority (where `none` counts as what the nice value stands for, ioprio_set(2)), the most
/// favoured policy; and the cgroup that all share, else that of the first of the processes with
/// the lowest nice value.
Standing highest_of(const std::vector<InspectedProcess>& processes);

/// Reads all that match. For a group or a user the kernel itself is asked for the highest nice and
/// I/O priority, which then covers all threads. An error when nothing matches, naming what did not.
Result<Inspection> inspect(const InspectOptions& options);

/// {"nice","io","policy","autogroup_nice","cgroup","processes":[{"pid","comm", the same five}]}
std::string inspection_json(const Inspection& inspection);

/// The subcommand: prints, and returns its exit code (1: nothing matches, or some of it could not
/// be read, which stderr says).
int run_inspect(const InspectOptions& options);

}  // namespace lull::cli
