#pragma once

#include "jobs/result.hpp"
#include "runner/keeper/plan.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/run_file.hpp"

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lull::os {

/// A keeper that we started and have to wait for.
struct KeeperProcess {
  pid_t pid = 0;
  Fd pidfd;
  Fd reports;  ///< non-blocking; keeper::Report packets, end of file when the keeper is gone
  Fd go;       ///< closed, it lets a job go on that waits for its scope; empty: none does
};

/// Starts keepers, all from the program file that was there when lull started: an upgrade under a
/// running supervisor cannot pair it with a keeper of another version.
class KeeperProgram {
 public:
  /// Finds lull-keeper beside `own_program`, or in ../libexec/lull/ from there.
  static Result<KeeperProgram> find(const std::string& own_program);

  /// Hands `plan` to a new keeper, which is the leader of a session of its own from its first
  /// instruction and has every signal blocked. `stdio`: what its descriptors 0, 1 and 2 are; -1
  /// leaves ours in place. `waits`: the plan is that of a job which waits for a scope.
  [[nodiscard]] Result<KeeperProcess> start(std::span<const std::byte> plan,
                                            std::array<int, 3> stdio = {-1, -1, -1},
                                            bool waits = false) const;

 private:
  explicit KeeperProgram(Fd program);
  Fd program_;
  std::string path_;  ///< /proc/self/fd/N
};

/// Tells a keeper whose supervisor is gone that we are its supervisor now: should the service
/// manager end its job, it waits for us to say so.
void take_up_keeper(const ProcessIdentity& keeper);

/// Whether the process of `pidfd` has ended, without waiting; reaps it when it is our child.
bool has_ended(int pidfd);

/// What has arrived on a keeper's pipe; empty when nothing has, nullopt at its end.
std::optional<std::vector<keeper::Report>> read_reports(int fd);

}  // namespace lull::os
