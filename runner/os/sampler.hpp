#pragma once

#include "jobs/foreground.hpp"
#include "jobs/run.hpp"
#include "runner/os/disks.hpp"
#include "runner/os/foreground_groups.hpp"
#include "runner/os/meter.hpp"
#include "runner/os/stalls.hpp"
#include "runner/os/unranked_meter.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lull::os {

/// Names a run among those that one loop drives.
using RunKey = std::uint64_t;

/// Reads what the loop decides by: a few files through descriptors that stay open, about 0.2 ms.
class Sampler {
 public:
  Sampler();

  void add(RunKey key, RunProcesses run);
  void remove(RunKey key);

  /// One look at everything. `at` is now.
  Sample take(Instant at);
  /// Looks for runs of other lulls, of this user or another: they are nobody's foreground. True
  /// when some came or went since the last look: what they used meanwhile is in no sample.
  bool look_for_others();

  /// What a run used since it was added; none for a key that is not there.
  [[nodiscard]] const Use* use_of(RunKey key) const;
  /// Its processes.
  [[nodiscard]] std::vector<ProcessStat> tree_of(RunKey key) const;
  /// Those that are known to be outside of its v2 cgroup.
  [[nodiscard]] std::vector<pid_t> outside_of(RunKey key) const;

  /// The disks alone, for an ear.
  std::vector<DeviceCounters> listen();
  /// How many requests the foreground's own cgroups have made of them, where that is known.
  std::optional<std::uint64_t> foreground_requests() { return foreground_.requests(buffer_); }
  /// Whether there is any to listen to, as of the last look at everything.
  [[nodiscard]] bool has_disks() const { return !disks_.empty(); }

 private:
  struct Driven {
    RunMeter meter;
    std::string parent;  ///< the group that its own cgroup is in; empty: none
    Use use;
  };
  int read_cpu(Sample& sample);
  double others_waiting();
  Duration read_own(Sample& sample);
  void read_own_stalls(Sample& sample);
  void refresh_disks(Instant at);
  void look_around(Instant at);
  void read_unranked(Sample& sample, Duration runs);

  Fd stat_;
  StallFiles all_stalls_;
  std::map<std::string, StallFiles> own_stalls_;  ///< by the groups that hold our runs' own
  std::vector<char> buffer_;
  std::map<std::string, Fd> disks_;  ///< their counters, by name
  Instant disks_read_{0};
  UnrankedMeter unranked_;
  ForegroundGroups foreground_;
  Instant looked_around_{0};
  bool look_around_ = true;
  Duration gone_driven_cpu_{0};  ///< of driven runs that are not measured any more
  std::map<RunKey, Driven> driven_;
  std::map<pid_t, RunMeter> others_;  ///< by their keepers
  std::set<pid_t> strangers_;         ///< processes that are no keepers
  std::set<pid_t> newcomers_;         ///< those that the last look saw first: maybe before an exec
  Use gone_;                          ///< of runs that are not measured any more
};

}  // namespace lull::os
