#pragma once

#include <string>
#include <vector>

namespace lull::cli {

/// Who tells how a gate stands, and what he says now.
struct GateSource {
  std::string gate;    ///< its key
  std::string source;  ///< "UPower"
  bool works = false;  ///< he can tell
  std::string says;    ///< or why he says nothing
};

/// All who can tell of the gates that hang on the desktop, asked now: for some seconds at most,
/// where one of them does not answer. Of a gate's sources the best come first.
std::vector<GateSource> examine_gates();

}  // namespace lull::cli
