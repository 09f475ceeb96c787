#pragma once

#include "config/parse_job.hpp"
#include "jobs/decide.hpp"
#include "jobs/priority.hpp"
#include "jobs/units.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace lull::config {

/// lull.toml.
struct Settings {
  Duration settle = std::chrono::minutes(2);  ///< after boot or resume, before catch-up
  int max_concurrent = 4;
  int catch_up_concurrent = 1;
  Duration history_keep = std::chrono::days(400);
  ForegroundSettings foreground;
  std::optional<Level> ceiling;  ///< system instance: no job gets more, see capped()
  Defaults defaults;
  /// False: parts of the file are no TOML, so that a default or a ceiling may be missing here.
  bool complete = true;
};

/// Reads lull.toml. Unlike a job, settings always come, beside their diagnostics: a wrong key keeps
/// its built-in value (one in `[ceiling]` the strictest sensible one), so that a slip there does
/// not stop every job; a job that would get a wrong default is broken.
Parsed<Settings> parse_settings(std::string_view text, std::string_view file,
                                const JobContext& context);

}  // namespace lull::config
