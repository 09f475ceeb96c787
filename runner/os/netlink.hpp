#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"

namespace lull::os {

/// Becomes readable at each change of a route or a link (rtnetlink(7)).
Result<Fd> watch_routes();

/// Becomes readable at each event of a device, the kernel's own (NETLINK_KOBJECT_UEVENT). Anybody
/// may listen; in a container it may stay silent.
Result<Fd> watch_devices();

/// Reads all that one of these has to say, so that it is readable only after the next event.
void drain(const Fd& watch);

}  // namespace lull::os
