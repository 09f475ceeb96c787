#pragma once

#include <string>

namespace lull::config {

/// One thing that is wrong in a file: "what is wrong: what to write instead". Lines and columns
/// count from 1; columns count characters, not bytes.
struct Diagnostic {
  std::string file;
  int line = 1;
  int column = 1;
  std::string message;
  bool operator==(const Diagnostic&) const = default;
};

/// "FILE:LINE:COL: error: MESSAGE", as compilers write it and editors read it.
inline std::string to_string(const Diagnostic& diagnostic) {
  return diagnostic.file + ':' + std::to_string(diagnostic.line) + ':' +
         std::to_string(diagnostic.column) + ": error: " + diagnostic.message;
}

}  // namespace lull::config
