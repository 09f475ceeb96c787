#pragma once

#include "config/diagnostic.hpp"
#include "config/report.hpp"
#include "jobs/spec.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::config {

/// What a file's meaning depends on besides its text. The file itself is all that is read: whether
/// users, programs and mount points exist is seen when the job runs.
struct JobContext {
  bool system_instance = false;
  std::string home;         ///< where "~/" leads; absolute
  int lowest_nice = -20;    ///< the lowest nice value that the instance may set
  bool realtime_io = true;  ///< whether it may set the I/O class realtime
  std::string user;         ///< the instance's own user name
};

/// Either a value, or what was wrong.
template <class T>
struct Parsed {
  std::optional<T> value;
  std::vector<Diagnostic> diagnostics;
};

/// `[defaults]` of lull.toml: what jobs get where their own file says nothing. A value that is
/// shared and never changes.
class Defaults {
 public:
  struct Tables;

  /// None.
  Defaults() = default;
  explicit Defaults(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}
  [[nodiscard]] const Tables* tables() const { return tables_.get(); }

 private:
  std::shared_ptr<const Tables> tables_;
};

/// Reads a job file. All errors are reported at once; the value is there if there were none.
///
/// Defaults are merged per key (`environment` per variable), the job's own value wins. A job's own
/// `command` or `script` replaces either default, its own `at` or `every` likewise, and its own
/// `policy` also the default levels. Defaults give a schedule to jobs without one only if they
/// contain `at` or `every`, and an output only if they contain `publish`.
Parsed<JobSpec> parse_job(std::string_view text, std::string_view file, std::string_view name,
                          const JobContext& context, const Defaults& defaults = {});

/// Where `key` of `table` stands in a job file; the file's beginning where it is not in it.
Position place_of(std::string_view text, std::string_view table, std::string_view key);

}  // namespace lull::config
