#pragma once

#include "jobs/run.hpp"
#include "runner/os/fd.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// A process that cannot be mistaken for a later one with the same pid: field 22 of /proc/PID/stat
/// and the boot that it belongs to.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot
  std::string boot_id;
  bool operator==(const ProcessIdentity&) const = default;
};

/// The keeper's word on how the run ended.
struct KeeperOutcome {
  TimePoint started;
  Ending ending;
  bool operator==(const KeeperOutcome&) const = default;
};

/// A run that a keeper has claimed.
struct ClaimedRun {
  ProcessIdentity keeper;
  std::optional<KeeperOutcome> outcome;  ///< none: not yet, or the keeper was killed
  bool operator==(const ClaimedRun&) const = default;
};

/// Reads a run's file: an error where the claim is cut short or of another version. An outcome
/// without its last line is none, never half an outcome.
Result<ClaimedRun> parse_run_file(std::string_view text);

/// runs/ID below the state folder: made by the keeper, which claims the run with it and adds the
/// outcome at the end; removed by the supervisor once the store has that.
class RunFiles {
 public:
  /// Makes runs/ where it is missing. Symbolic links are not followed.
  static Result<RunFiles> open(const std::string& state_folder);

  [[nodiscard]] std::string path(RunId run) const;
  /// Nothing where no keeper has claimed the run.
  [[nodiscard]] Result<std::optional<ClaimedRun>> read(RunId run) const;
  /// How a run ended whose keeper is gone: the keeper's word. Without one it was killed, or the
  /// machine went down under it.
  [[nodiscard]] Ending ending_of(RunId run) const;
  /// The runs that have a file.
  [[nodiscard]] std::vector<RunId> list() const;
  /// Fails silently: the next start tries again.
  void remove(RunId run) const;

 private:
  RunFiles(Fd folder, std::string path) : folder_(std::move(folder)), path_(std::move(path)) {}
  Fd folder_;
  std::string path_;
};

}  // namespace lull::os
