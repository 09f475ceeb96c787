#pragma once

#include "jobs/block_device.hpp"
#include "jobs/capabilities.hpp"
#include "jobs/places.hpp"
#include "jobs/result.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull {

/// The kernel's autogroups, sched(7).
enum class Autogroup { absent, off, on };

/// The group that a process has in one v1 hierarchy, below which lull makes its own.
struct V1Group {
  std::string controller;  ///< cpu, freezer, memory or blkio
  std::string folder;
  bool writable = false;  ///< lull's group may be made there, or is there and ours
  bool open = false;      ///< and so may any other, as an experiment's
  bool operator==(const V1Group&) const = default;
};

/// The same in the unified hierarchy.
struct V2Group {
  std::string folder;
  bool root = false;      ///< the root of all, which may hold processes and groups
  bool writable = false;  ///< lull's group may be made there or is ours, and be given processes
  bool open = false;      ///< and so may any other, as an experiment's
  std::vector<std::string> available;  ///< cgroup.controllers
  std::vector<std::string> enabled;    ///< cgroup.subtree_control: these act in groups below
  bool operator==(const V2Group&) const = default;
};

/// What was read of a machine, for the user and in the place of the process that read it.
struct MachineFacts {
  KernelVersion kernel;
  Autogroup autogroup = Autogroup::absent;
  /// The group of the cpu controller that holds us; empty: the root one, where autogroups count.
  std::string cpu_group;
  std::vector<V1Group> v1;
  std::optional<V2Group> v2;
  /// A service manager gives each job a scope; `v2` is then the manager's own group, from which it
  /// hands on all controllers that it has.
  bool scopes = false;
  std::vector<Place> places;     ///< that are in use around those scopes, the nearest first
  bool iocost = false;           ///< io.cost.qos is on for a device
  int own_nice = 0;              ///< of the process that read this
  int returnable_nice = 20;      ///< that may be set back to: 20 − RLIMIT_NICE; 20: none
  bool realtime_io = false;      ///< permitted
  std::vector<std::string> psi;  ///< the files in /proc/pressure
  std::chrono::milliseconds psi_window{0};  ///< the shortest that a trigger may have; 0: none may
  std::vector<BlockDevice> devices;         ///< below the paths that matter
};

enum class Verdict { works, no_effect, not_permitted };
std::string_view to_string(Verdict verdict);

/// One kernel mechanism, judged: the field's own name for it, why it does what it does here, and
/// what would mend it (empty: nothing, or nothing to mend).
struct Knob {
  std::string name;
  Verdict verdict = Verdict::works;
  std::string why;
  std::string fix;
  std::string measured;  ///< what an experiment showed; empty: there was none
  bool operator==(const Knob&) const = default;
};

/// What can be done to jobs on such a machine.
Capabilities capabilities(const MachineFacts& facts);

/// Every knob, in the order in which a person should read them.
std::vector<Knob> diagnose(const MachineFacts& facts);

/// For each place where a foreground may be, whether a weight keeps jobs behind it.
std::vector<Knob> diagnose_places(const MachineFacts& facts);

/// What two spinners on one CPU got in the same time: one that a knob holds back, and a plain one.
struct SharedCpu {
  std::chrono::microseconds held_back{0};
  std::chrono::microseconds plain{0};

  /// The share of the one held back: 50 when the knob does nothing.
  [[nodiscard]] int percent() const;
  /// Whether the two got enough to tell; on a CPU that others fill they may not.
  [[nodiscard]] bool enough() const;
};

/// What a spinner is held back with.
struct Trial {
  enum class Way { nice, autogroup, group };
  std::string knob;  ///< the name of the knob that this proves
  Way way = Way::nice;
  std::string folder;  ///< with `group`: where to make one
  std::string file;    ///< its control file, with what to write there
  std::string value;
  std::string undo;  ///< to be written before its processes can end; empty: nothing
  bool operator==(const Trial&) const = default;
};

/// The experiments that can tell something about this machine's knobs.
std::vector<Trial> trials(const MachineFacts& facts);

/// Whether a measurement clearly says the opposite of the verdict.
bool contradicts(const SharedCpu& measured, const Knob& knob);

/// Adds a measurement to what is known of a knob. Where the two contradict, what was measured is
/// right, and `why` says so.
void confirm(Knob& knob, const SharedCpu& measured);

/// The same for an experiment that failed: a knob that the kernel refuses to us does not work.
void refute(Knob& knob, const Error& failure);

}  // namespace lull
