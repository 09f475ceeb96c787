#pragma once

#include "runner/os/block_devices.hpp"

#include <string>
#include <vector>

namespace lull::os {

/// What there is at a path, as far as this machine's own file systems can tell.
struct LocalPath {
  enum class Is {
    there,
    missing,
    elsewhere,  ///< the way leads to a server or a user-space daemon, who may never answer, or
                ///< over a link that leads nowhere as yet
  };
  Is is = Is::elsewhere;
  std::string folder;  ///< of one that is missing: the last on the way to it that is there
};

/// Looks for an absolute path without waiting for anyone but a disk of this machine: openat2(2) is
/// kept on one mount (RESOLVE_NO_XDEV), and that and all above it are of file systems that are
/// known to be local. Links are followed as far as that allows.
LocalPath look_for(const std::vector<Mount>& mounts, const std::string& path);

}  // namespace lull::os
