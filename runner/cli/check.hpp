#pragma once

#include "runner/cli/instance.hpp"

#include <string>
#include <vector>

namespace lull::cli {

struct CheckOptions {
  std::vector<std::string> paths;  ///< empty: the instance's own configuration
  bool json = false;
};

/// Prints every diagnostic of the files and of those in the folders, one a line. Exit code 0 when
/// there is none, 2 otherwise.
int run_check(const InstanceOptions& instance, const CheckOptions& options);

}  // namespace lull::cli
