#pragma once

#include "jobs/capabilities.hpp"
#include "jobs/run.hpp"
#include "jobs/spec.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lull {

/// An account, as the user database has it; looked up before a plan is made.
struct Account {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;  ///< all of them, with `gid`
  std::string name;
  std::string home;
  std::string shell;
  bool operator==(const Account&) const = default;
};

/// A cgroup that a run gets below `parent`, and what is written there before the job joins.
struct CgroupPlacement {
  std::string knob;    ///< how history names it: "cgroup" or "cgroup.cpu"
  std::string parent;  ///< an absolute folder that exists
  bool unified = false;
  std::vector<std::pair<std::string, std::string>> settings;
  bool operator==(const CgroupPlacement&) const = default;
};

/// A scope of the service manager's that a run gets (systemd.scope(5)) in place of cgroups of
/// lull's.
struct ScopePlacement {
  std::string mount;  ///< where cgroup v2 is
  std::string slice;
  std::optional<Bytes> memory;  ///< above which its memory and page cache are reclaimed first
  bool operator==(const ScopePlacement&) const = default;
};

/// What becomes of the job's standard streams.
enum class Stdio {
  log,       ///< stdin /dev/null, both outputs to the run's log
  inherit,   ///< as the spawning process has them
  terminal,  ///< the same, and fd 0 becomes the controlling terminal
};

/// NAME=VALUE pairs by name, so that a later one replaces an earlier one.
using Environment = std::map<std::string, std::string, std::less<>>;

/// Everything that a child needs before exec, decided and resolved: no look-up is left to do.
struct SpawnPlan {
  std::vector<std::string> programs;  ///< tried in this order, as execvp(3) would
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< "NAME=VALUE"
  std::string directory;
  bool directory_is_default = false;     ///< nobody asked for it: "/" stands in where it is missing
  Foreground state = Foreground::light;  ///< that the level is for
  Level level;
  int nice = 0;  ///< the level's, or another where it could not come back (nice_at_start)
  std::string level_reason;       ///< why this one, in history's words
  std::optional<Account> become;  ///< none: stay who we are
  std::vector<CgroupPlacement> cgroups;
  std::optional<ScopePlacement> scope;  ///< asked for by whoever starts the job
  std::vector<int> success_exit_codes;
  Duration stop_timeout{0};
  std::optional<Duration> timeout;
  Bytes log_size;
  Stdio stdio = Stdio::log;
  bool stop_with_supervisor = false;
  bool operator==(const SpawnPlan&) const = default;
};

/// What make_spawn_plan needs to know beyond the job and the run.
struct SpawnContext {
  Environment base;             ///< the supervisor's own environment, whole
  Account self;                 ///< who we are
  std::optional<Account> user;  ///< the job's `user`, looked up; required when the spec names one
  Environment file;             ///< what `environment_file` holds
  std::vector<CgroupPlacement> cgroups;
  std::optional<ScopePlacement> scope;
  Zone zone;  ///< the job's, for LULL_SLOT
  Capabilities can;
  Foreground state = Foreground::light;  ///< as far as it is known
};

/// The foreground state that a run of `spec` starts in: at most busy, since a job that is frozen
/// before it runs could not even fail.
Foreground state_at_start(const JobSpec& spec, Foreground now);

/// That state's level.
Level level_at_start(const JobSpec& spec, Foreground now);

/// The supervisor's clean base for a job of `account`: PATH, HOME, USER, LOGNAME, SHELL, LANG, TZ
/// and the session's XDG_RUNTIME_DIR and DBUS_SESSION_BUS_ADDRESS where they are that account's
/// own.
Environment base_environment(const Environment& own, const Account& account, bool other_user);

/// The files that execvp(3) would try for `program` with this PATH, in order.
std::vector<std::string> search_path(std::string_view program, std::string_view path);

/// Decides how `run` of `spec` is started.
SpawnPlan make_spawn_plan(const JobSpec& spec, const RunRecord& run, const SpawnContext& context);

/// Reads the KEY=VALUE lines of an environment file: blank lines and # comments are passed over,
/// one pair of quotes around a value is taken off, `export ` before a name is allowed. An error
/// names the line, never its text.
Result<Environment> parse_environment_file(std::string_view text);

}  // namespace lull
