#pragma once

#include "jobs/places.hpp"

#include <optional>
#include <string>
#include <vector>

// How the groups of cgroup v2 stand to one another, by their folders.
namespace lull::os {

/// Its last part, and the group that it is in.
std::string name_of(const std::string& folder);
std::string parent_of(const std::string& folder);

/// The groups above `folder` that hold nothing but runs of lull's, innermost first: `lull`, or the
/// slices lull.slice and lull-….slice.
std::vector<std::string> lull_groups_above(std::string folder);

/// What a group weighs; none where the cpu controller is off in the one above it.
std::optional<GroupWeight> weight_of(const std::string& folder);

/// The group within which the weights keep what is in `folder` behind all else: the one above the
/// outermost of lull's groups, or above an outer one that is idle or weighs next to nothing. Empty
/// where that is the root, so that it is kept behind everything.
std::string ranking_group(const std::string& folder);

/// A group in use beside one that holds our runs: the kernel shares the CPU between the two.
struct Neighbour {
  std::string folder;
  std::string ours;  ///< the group beside it
};

/// Those beside the outermost of lull's groups around a run whose cgroup is `folder`, and beside
/// each group around that: the nearest first, else by name. Not those of other lulls, nor
/// init.scope, where the service managers are.
std::vector<Neighbour> neighbours_of(const std::string& folder);

/// The groups right below the root of the hierarchy that `folder` is in.
std::vector<std::string> groups_at_top(const std::string& folder);

}  // namespace lull::os
