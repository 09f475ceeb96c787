#pragma once

#include "jobs/knobs.hpp"

#include <functional>
#include <optional>
#include <string>

namespace lull::os {

/// What only system calls tell of us.
struct Permissions {
  int own_nice = 0;
  int returnable_nice = 20;  ///< see os::returnable_nice
  bool realtime_io = false;
  std::chrono::milliseconds psi_window{0};  ///< the shortest that a trigger may have; 0: none may
  /// The group of the service manager that gives jobs their scopes, from the root of cgroup v2 on:
  /// "" is that of the machine; none where there is none.
  std::optional<std::string> manager;
  /// access(2) with W_OK.
  std::function<bool(const std::string& path)> may_write;
};

/// Asks the kernel. Sets a PSI trigger and takes it away again at once.
Permissions own_permissions();

/// Reads what is in /proc and /sys below `root` ("" for the machine itself) of the process that
/// reads. All but the devices, which depend on paths: devices_below(). Folders in the facts are
/// without `root`, and so are the paths that `may_write` is asked for.
MachineFacts read_machine_facts(const std::string& root, const Permissions& permissions);

/// Whether io.cost.qos says that the controller is on for a device: "254:0 enable=1 …".
bool parse_iocost(std::string_view text);

}  // namespace lull::os
