#pragma once

#include <string>
#include <vector>

namespace lull::cli {

struct CalendarOptions {
  std::vector<std::string> expressions;
  std::string timezone;  ///< an IANA name; empty: the machine's
  std::string from;      ///< RFC 3339; empty: now
  int count = 5;
  bool json = false;
};

/// Prints each expression's normalised form and its next slots, strictly after `from`; as JSON one
/// object a line for each. A wrong expression is said on stderr, the others are printed all the
/// same, and the exit code is 2. Needs no instance and no supervisor.
int run_calendar(const CalendarOptions& options);

}  // namespace lull::cli
