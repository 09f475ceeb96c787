#pragma once

#include "jobs/knobs.hpp"

#include <vector>

namespace lull::cli {

/// Judges each place where a foreground may be, and unless `experiment` is false proves it where a
/// spinner can be put there: in a slice of our own manager's, or where this process itself runs.
std::vector<Knob> examine_places(const MachineFacts& facts, bool experiment);

}  // namespace lull::cli
