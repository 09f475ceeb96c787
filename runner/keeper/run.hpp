#pragma once

#include "runner/keeper/plan.hpp"
#include "runner/keeper/sys.hpp"

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace lull::keeper {

/// A plan where it lies in memory. Its lists have become arrays of pointers.
class PlanView {
 public:
  PlanView() = default;
  /// Maps `fd` and makes the lists usable; false when it is not a plan of this version.
  bool map(int fd);

  const Plan* operator->() const { return plan_; }
  [[nodiscard]] bool has(PlanFlag flag) const { return (plan_->flags & flag) != 0; }
  [[nodiscard]] const char* text(Text text) const { return base_ + text.offset; }
  /// The texts of a list, ending with a null pointer.
  [[nodiscard]] char** texts(Texts texts) const;
  [[nodiscard]] std::span<const CgroupEntry> cgroups() const;
  [[nodiscard]] const gid_t* groups() const;

 private:
  void make_pointers(Texts texts) const;
  char* base_ = nullptr;
  const Plan* plan_ = nullptr;
};

// --- cgroup.cpp: the run's groups, made by the keeper and entered by its child alone.

inline constexpr std::size_t kMaxCgroups = 8;

struct RunCgroups {
  std::uint32_t count = 0;
  int folders[kMaxCgroups] = {};  ///< -errno where the group could not be made
  int tasks[kMaxCgroups] = {};    ///< v1: open for writing by the child; -errno: it cannot join
  int unified = -1;               ///< the index of the v2 group, or -1
  int memory_events = -1;         ///< its file, where it has one
};

/// Makes every group of the plan, named NAME.PID, and writes its settings. What fails is noted in
/// `folders` and does not stop the run.
RunCgroups make_cgroups(const PlanView& plan, pid_t keeper);
/// Opens the scope that `job` was put into for us: the service manager's group, never ours to
/// remove. Without it there is no group.
RunCgroups open_scope(const PlanView& plan, pid_t keeper, pid_t job);
/// Removes those of the plan; the tree must be gone.
void remove_cgroups(const PlanView& plan, const RunCgroups& groups, pid_t keeper);
/// Thaws them, in whichever way they can be frozen.
void thaw_cgroups(const RunCgroups& groups);
/// How many of their processes the kernel has killed for want of memory. Until the next change of
/// this, `memory_events` does not poll as urgent (POLLPRI).
int count_oom_kills(RunCgroups& groups);
/// SIGKILL to everything in the v2 group at once; false where there is none.
bool kill_cgroup(const RunCgroups& groups);

// --- child.cpp: everything between clone and exec.

struct ChildSetup {
  const PlanView* plan = nullptr;
  const RunCgroups* cgroups = nullptr;
  pid_t keeper = 0;
  int go = -1;      ///< ends when the job is in its scope; -1: there is none to wait for
  int report = -1;  ///< CLOEXEC pipe: Reports, then end of file when exec succeeded
  int output = -1;  ///< write end of the job's output, -1 where stdio passes through
  int null = -1;    ///< /dev/null
};

/// Applies the plan to the calling process and becomes the job. Never returns: what fails goes up
/// the report pipe as a stage and an errno.
[[noreturn]] void exec_child(const ChildSetup& setup);

/// The autogroup's nice value of `process` as /proc has it; Report::kNoAutogroup without one.
std::int32_t read_autogroup(const char* process);
/// Sets it: 0 or -errno; -ENOENT where the kernel has no autogroups.
long write_autogroup(const char* process, std::int32_t nice);

// --- tree.cpp: the job's processes, found by descent.

/// Sends `signal` to every descendant of `root` (not to itself) that can be found now, each through
/// a pidfd. Returns how many there were, zombies not counted.
int signal_tree(pid_t root, int signal);

// --- log.cpp

/// The job's output, capped: two files of at most `limit` bytes while the run goes on, one file
/// with the newest `limit` bytes afterwards, and none where there was no output. Never reports
/// failure to the writer: what the disk refuses is counted and dropped, since a full disk must not
/// stop a backup's main process.
class Log {
 public:
  void set(const char* path, std::uint64_t limit);
  void append(std::span<const char> text);
  /// Joins the two files. Call once, at the end.
  void finish();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void start_file();
  void write_out(std::span<const char> text);

  const char* path_ = nullptr;
  Line<4096> old_;
  int fd_ = -1;
  std::uint64_t limit_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t dropped_ = 0;
  bool rotated_ = false;
};

// --- outcome.cpp

/// What the keeper knows at the end.
struct Ended {
  const char* outcome = "success";
  int status = 0;       ///< as wait4 gives it; meaningless when `failed` is set
  bool waited = false;  ///< `status` was filled in
  Report failed;        ///< stage and errno of a spawn that failed
  std::int64_t started_us = 0;
  std::int64_t ended_us = 0;
  int left_behind = 0;  ///< processes that the main one left, ended by us
  int unkillable = 0;   ///< and those that we could not end
  int oom_kills = 0;    ///< by the kernel, for want of memory
  std::uint64_t dropped = 0;
};

/// Claims the run by making its file, which then names this keeper and has room for the outcome
/// reserved on the disk. Returns the file's descriptor, or -EEXIST when another keeper has the run,
/// or another -errno.
int claim_run(const PlanView& plan, pid_t keeper);
/// Adds the outcome to the run's file. Who made the file is the only one to write there, and a
/// reader believes it only with its last line. Returns -errno if it could not be written.
int publish_outcome(int run_file, const Ended& ended);

}  // namespace lull::keeper
