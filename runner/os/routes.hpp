#pragma once

#include <string_view>

namespace lull::os {

/// Whether one of the texts of /proc/net/route and /proc/net/ipv6_route has a route to everywhere,
/// by a device other than lo.
bool has_default_route(std::string_view route, std::string_view ipv6_route);

/// The same of this machine, as it is now.
bool has_default_route();

}  // namespace lull::os
