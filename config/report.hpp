#pragma once

#include "config/diagnostic.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lull::config {

/// A place in a file, both from 1.
struct Position {
  int line = 1;
  int column = 1;
  bool operator==(const Position&) const = default;
  friend bool operator<(Position a, Position b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  }
};

/// Collects what is wrong in one file.
class Report {
 public:
  explicit Report(std::string_view file) : file_(file) {}

  /// Adds a diagnostic. Control characters that the file brought are shown as \u001b, and what is
  /// very long is cut, so that a message is safe to print anywhere.
  void add(Position at, std::string_view message);
  /// Whether there is so much already that nobody would read more; the rest is passed over.
  [[nodiscard]] bool is_full() const;

  /// From now on nothing is said about what is missing: parts of the file were not readable, or it
  /// is the defaults, which need not be complete.
  void expect_parts() { whole_ = false; }
  /// Adds a diagnostic about something missing, unless parts are all that is expected.
  void add_missing(Position at, std::string_view message);

  /// Everything in the order of the file, nothing twice.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  std::string file_;
  bool whole_ = true;
  std::vector<Diagnostic> found_;
};

/// The text in double quotes, for a message.
std::string quoted(std::string_view text);

}  // namespace lull::config
