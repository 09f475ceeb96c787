#pragma once

#include "jobs/foreground.hpp"

#include <filesystem>
#include <iosfwd>
#include <vector>

namespace lull::tests {

/// One look at a real machine, with what only whoever recorded it knows.
struct TraceLine {
  Sample sample;
  bool foreground = false;  ///< something that must not be disturbed was running
};

/// A line of a trace: counts as they are, durations in microseconds, "-" where the kernel kept
/// none.
void write_trace_line(std::ostream& out, const TraceLine& line);
/// Throws std::runtime_error for what is no trace.
std::vector<TraceLine> read_trace(const std::filesystem::path& file);

}  // namespace lull::tests
