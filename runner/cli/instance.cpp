#include "runner/cli/instance.hpp"

#include <cstdio>

namespace lull::cli {

os::InstancePaths paths_of(const InstanceOptions& options) {
  return os::own_instance_paths({options.config_dir, options.state_dir, options.runtime_dir})
      .value();
}

void complain(const std::string& message) { std::fprintf(stderr, "lull: %s\n", message.c_str()); }

}  // namespace lull::cli
