#pragma once

#include <cstdint>

/// What lull hands to a lull-keeper: one block of memory (a memfd), made by
/// runner/os/keeper_plan.cpp and used where it lies. Both programs are built together and the
/// supervisor holds the keeper that it started with open, so the layout may change with every
/// version; `version` is checked anyway.
namespace lull::keeper {

/// Tells a keeper that the sender drives its run from now on. A realtime signal, since these queue:
/// of two SIGUSR1 that wait, one is lost. The first that glibc does not keep for itself.
inline constexpr int kDriverSignal = 34;

/// Tells a keeper that the service manager ends its job: should that end it, the run was
/// interrupted.
inline constexpr int kInterruptedSignal = 35;

/// Tells a keeper whose supervisor has ended that the sender is its supervisor now.
inline constexpr int kSupervisorSignal = 36;

inline constexpr std::uint32_t kPlanVersion = 3;

/// `length` bytes at `offset` from the start of the plan, and a NUL behind them.
struct Text {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// `count` + 1 words of 8 bytes at `offset`: each the offset of a NUL-terminated text, the last 0.
/// The keeper turns them into pointers in place, which makes them an argv.
struct Texts {
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
};

/// A cgroup that the run gets below `parent`: made, set up and removed by the keeper.
struct CgroupEntry {
  Text parent;              ///< an absolute folder
  Texts settings;           ///< file, value, file, value …; each is written before the job joins
  std::uint32_t unified{};  ///< 1: cgroup v2 (entered by clone3), 0: a v1 hierarchy
};

struct Cgroups {
  std::uint32_t offset = 0;
  std::uint32_t count = 0;
};

struct Groups {
  std::uint32_t offset = 0;  ///< gid_t each
  std::uint32_t count = 0;
};

enum PlanFlag : std::uint32_t {
  kLogOutput = 1U << 0,           ///< stdin is /dev/null, both outputs go to the log
  kTakeTerminal = 1U << 1,        ///< fd 0 becomes the controlling terminal
  kStopWithSupervisor = 1U << 2,  ///< the job ends when the supervisor dies
  kChangeUser = 1U << 3,          ///< uid, gid and groups are to be set
  kOrRoot = 1U << 4,              ///< the directory was not asked for: "/" will do as well
};

struct Plan {
  std::uint32_t version = kPlanVersion;
  std::uint32_t size = 0;  ///< of the whole block
  std::uint32_t flags = 0;
  std::int32_t supervisor = 0;  ///< its pid, to notice that it died before we looked

  std::int32_t nice = 0;
  std::int32_t autogroup_nice = 0;
  std::int32_t io_priority = 0;  ///< as ioprio_set(2) takes it
  std::uint64_t files_soft = 0;  ///< RLIMIT_NOFILE
  std::uint64_t files_hard = 0;

  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Groups groups;

  std::uint64_t stop_timeout_ms = 0;
  std::uint64_t timeout_ms = 0;  ///< 0: none
  std::uint64_t log_size = 0;
  std::uint64_t success[4] = {};  ///< bit N: exit code N is a success

  Text run_file;  ///< made by the keeper, which claims the run with it; gets the outcome
  Text log;       ///< the log's path
  Text directory;
  Text cgroup_name;  ///< the keeper appends "." and its own pid
  Text scope_mount;  ///< where cgroup v2 is mounted, for a job that waits for a scope; else empty
  Text boot_id;
  Texts programs;  ///< tried in this order until one can be executed
  Texts argv;
  Texts environment;
  Cgroups cgroups;
};

/// What the child does between clone and exec, in this order, and what the keeper does before it.
/// The numbers are written into outcome files by name (stage_name), never as numbers.
enum class Stage : std::uint32_t {
  none,
  plan,
  claim,
  log,
  fork,
  session,
  cgroup,
  autogroup,
  nice,
  io_priority,
  limits,
  user,
  parent_death,
  directory,
  fds,
  signals,
  exec,
};

/// The stage as people read it.
constexpr const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::none:
      return "none";
    case Stage::plan:
      return "plan";
    case Stage::claim:
      return "claim";
    case Stage::log:
      return "log";
    case Stage::fork:
      return "fork";
    case Stage::session:
      return "session";
    case Stage::cgroup:
      return "cgroup";
    case Stage::autogroup:
      return "autogroup";
    case Stage::nice:
      return "nice";
    case Stage::io_priority:
      return "io";
    case Stage::limits:
      return "limits";
    case Stage::user:
      return "user";
    case Stage::parent_death:
      return "parent-death";
    case Stage::directory:
      return "directory";
    case Stage::fds:
      return "fds";
    case Stage::signals:
      return "signals";
    case Stage::exec:
      return "exec";
  }
  return "unknown";
}

/// From the child to its keeper, and from the keeper to the supervisor: packets of one size on a
/// pipe (shorter than PIPE_BUF, so each arrives whole).
struct Report {
  enum class Kind : std::uint32_t {
    placing,        ///< `pid` waits for its scope, until the go pipe is closed
    knob_failed,    ///< a priority knob could not be set: the job runs without it
    spawn_failed,   ///< there will be no job
    applied,        ///< what the kernel says of the child, just before exec
    running,        ///< exec succeeded; `pid` is the job's main process
    autogroup_set,  ///< later: the kernel took the autogroup's nice value after all
  };
  Kind kind = Kind::running;
  Stage stage = Stage::none;
  std::int32_t error = 0;  ///< errno
  std::int32_t pid = 0;
  std::int32_t nice = 0;
  std::int32_t io_priority = 0;
  std::int32_t autogroup_nice = kNoAutogroup;
  std::uint32_t cgroups = 0;  ///< bit N: joined Plan::cgroups[N]

  static constexpr std::int32_t kNoAutogroup = 127;
};

}  // namespace lull::keeper
