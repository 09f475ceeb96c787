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

/// Reads what a keeper writes into `started`; an error where it is cut short or of another version.
Result<ProcessIdentity> parse_started(std::string_view text);

/// The keeper's word on how the run ended.
struct KeeperOutcome {
  TimePoint started;
  Ending ending;
  bool operator==(const KeeperOutcome&) const = default;
};

/// Reads an `outcome` file; a file without its last line is an error, never half an outcome.
Result<KeeperOutcome> parse_outcome_file(std::string_view text);

/// runs/ID/ below the state folder: made by the supervisor before the keeper, filled by the keeper
/// with `started` and `outcome`, removed by the supervisor once the store has the end of the run.
class RunFolders {
 public:
  /// Makes runs/ where it is missing. Symbolic links are not followed.
  static Result<RunFolders> open(const std::string& state_folder);

  [[nodiscard]] std::string path(RunId run) const;
  Result<void> make(RunId run) const;
  /// What has been claimed or published; nothing where the file is not there (yet).
  [[nodiscard]] Result<std::optional<ProcessIdentity>> started(RunId run) const;
  [[nodiscard]] Result<std::optional<KeeperOutcome>> outcome(RunId run) const;
  /// The runs that have a folder.
  [[nodiscard]] std::vector<RunId> list() const;
  /// Removes the folder with what keepers put there; fails silently, the next start tries again.
  void remove(RunId run) const;

 private:
  RunFolders(Fd folder, std::string path) : folder_(std::move(folder)), path_(std::move(path)) {}
  [[nodiscard]] Result<std::optional<std::string>> read(RunId run, std::string_view name) const;
  Fd folder_;
  std::string path_;
};

}  // namespace lull::os
