#pragma once

// Internal to config/: what is behind the opaque Defaults.
#include "config/document.hpp"
#include "config/parse_job.hpp"

namespace lull::config {

struct Defaults::Tables {
  toml::table root;
};

}  // namespace lull::config
