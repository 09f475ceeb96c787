#pragma once

#include <string>
#include <string_view>

namespace lull::config {

/// The TOML parser's description of a syntax error with what to write instead behind it.
std::string with_remedy(std::string_view description);

}  // namespace lull::config
