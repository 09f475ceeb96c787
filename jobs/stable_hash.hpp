#pragma once

#include <cstdint>
#include <string_view>

namespace lull {

/// A number that is the same for two texts on every machine, in every version: what is spread by it
/// must not move with an upgrade. All its bits depend on all bytes.
std::uint64_t stable_hash(std::string_view first, std::string_view second);

}  // namespace lull
