#pragma once

#include "jobs/foreground.hpp"
#include "runner/os/fd.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lull::os {

/// The pressure files of the machine or of one cgroup, held open: to open them anew costs four
/// times as much as to read them.
class StallFiles {
 public:
  /// None: reads nothing.
  StallFiles() = default;
  /// `folder`/cpu`suffix`, io and memory likewise: "/proc/pressure" and "", or a v2 cgroup's folder
  /// and ".pressure".
  StallFiles(const std::string& folder, const std::string& suffix);

  /// Nothing where the kernel keeps no such account, or the cgroup is gone.
  [[nodiscard]] std::optional<Stalls> read(std::vector<char>& buffer) const;

 private:
  Fd cpu_;
  Fd io_;
  Fd memory_;
};

}  // namespace lull::os
