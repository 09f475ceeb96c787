#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace lull::config {

/// How many letters must be added, removed, changed or swapped with their neighbour to get from one
/// text to the other; upper and lower case are the same letter.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The candidate that was probably meant: within a third of its length, the first of the nearest.
std::optional<std::string_view> nearest(std::string_view text,
                                        std::span<const std::string_view> candidates);

}  // namespace lull::config
