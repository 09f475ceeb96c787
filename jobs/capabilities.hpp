#pragma once

#include <string_view>

namespace lull {

/// What decides how the CPU is shared between a job and the foreground on this machine; the first
/// that works is used, since each makes the ones behind it void between the two.
enum class CpuKnob {
  cgroup,     ///< all jobs are in one group of lull's whose weight counts beside the foreground's
  autogroup,  ///< each job's session is a group of its own: /proc/PID/autogroup, sched(7)
  nice,       ///< no groups in the way: nice ranks a job beside the foreground
  none,       ///< groups above us decide, and we may not write there: only pausing helps
};
std::string_view to_string(CpuKnob knob);

/// What can be done to a job here, by this user; never assumed, always probed.
struct Capabilities {
  CpuKnob cpu = CpuKnob::none;
  int renice_down_to = 20;        ///< the lowest nice value that a job can be given back; 20: none
  bool freeze_by_cgroup = false;  ///< else SIGSTOP over the tree
  bool operator==(const Capabilities&) const = default;

  /// Whether a job whose nice value was raised to `from` can be given `to` again.
  [[nodiscard]] bool may_renice(int from, int to) const {
    return to >= from || to >= renice_down_to;
  }
};

}  // namespace lull
