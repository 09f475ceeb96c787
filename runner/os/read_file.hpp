#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// The whole of a file of the kernel's (whose size is not known before), or of a small one.
Result<std::string> read_file(const std::string& path);

/// Reads a small file of the kernel's again through a descriptor that is held open, into `buffer`;
/// empty when it cannot be read any more.
std::string_view reread(const Fd& file, std::vector<char>& buffer);

}  // namespace lull::os
