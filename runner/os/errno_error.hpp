#pragma once

#include "jobs/result.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace lull::os {

/// The error of the call just made: reads errno first, so write it on the line after the call.
/// "open /etc/lull/lull.toml: Permission denied".
inline Error errno_error(std::string_view tried) {
  const int code = errno;
  return {code, std::string(tried) + ": " + std::generic_category().message(code)};
}

}  // namespace lull::os
