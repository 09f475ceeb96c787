#pragma once

#include "jobs/units.hpp"
#include "runner/os/fd.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lull::os {

/// The cgroups that hold the foreground, where a service manager keeps every process in a group:
/// those beside lull's slice and beside each group around it. What the kernel says of them needs no
/// subtraction.
class ForegroundGroups {
 public:
  /// Finds them around the cgroup of one of our runs. `disks`: the numbers ("254:0") of those whose
  /// requests count, so that none counts twice.
  void look_around(const std::string& folder, std::set<std::string> disks);

  /// How long tasks there waited for a CPU. Counts up: of each time between two reads, what the
  /// group that waited longest has waited. Nothing where there are no such groups, or the kernel
  /// keeps no account of them (PSI).
  std::optional<Duration> stall(std::vector<char>& buffer);

  /// How many requests they have made of those disks; lull's own service is not counted. A group
  /// that is gone takes its count along. Nothing unless all have an account (the io controller).
  std::optional<std::uint64_t> requests(std::vector<char>& buffer) const;

 private:
  struct Group {
    explicit Group(const std::string& folder);
    Fd pressure;
    Fd io;
    std::optional<Duration> waited;  ///< as of the last read
  };
  std::map<std::string, Group> groups_;  ///< by their folders
  std::set<std::string> disks_;
  Fd own_io_;  ///< of the service that we are
  Duration longest_{0};
};

}  // namespace lull::os
