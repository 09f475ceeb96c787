#pragma once

#include "jobs/foreground.hpp"
#include "runner/os/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lull::os {

/// What is used by the cgroups that no weight of our runs' ranks before them. The kernel's own
/// threads are in none: much of what they do, they do for whoever reads and writes.
class UnrankedMeter {
 public:
  /// Finds out within which group the weights rank a run whose cgroup `folder` is. An administrator
  /// may change a weight above it at any time. Empty: the run has no group with a weight.
  void look_at(const std::string& folder);

  /// The CPU time that counts up outside of that group; none where there is no outside.
  [[nodiscard]] std::optional<Unranked> read(std::vector<char>& buffer) const;

 private:
  std::vector<Fd> all_;  ///< cpu.stat of every group at the top
  Fd ranked_;            ///< of the one that ranks
  std::string group_;    ///< empty: none
  int number_ = 0;
};

}  // namespace lull::os
