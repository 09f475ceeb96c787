#pragma once

// Internal to config/: the only header that brings toml++ in.
#include "config/report.hpp"

#include <toml++/toml.h>

#include <string_view>

namespace lull::config {

/// A file as TOML.
struct Document {
  toml::table root;
  /// Whether the tables are where the file's author put them; if not, what stands in them has no
  /// meaning that could be checked.
  bool usable = true;
  /// Whether all of it is TOML and nothing was left out.
  bool complete = true;
};

/// Parses TOML and reports every syntax error: the parser stops at the first, so the statement that
/// holds it is blanked out and the rest is tried again. After an error the report expects parts
/// only.
Document parse_document(std::string_view text, Report& report);

/// Where a node or key stands.
inline Position position(const toml::source_region& source) {
  if (!source.begin) return {};
  return {static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

}  // namespace lull::config
