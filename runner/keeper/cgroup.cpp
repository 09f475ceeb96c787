#include "runner/keeper/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <cstdint>

namespace lull::keeper {
namespace {

using Path = Line<1024>;

Path group_path(const PlanView& plan, const CgroupEntry& entry, pid_t keeper) {
  Path path;
  path << plan.text(entry.parent) << "/" << plan.text(plan->cgroup_name) << ".";
  path << static_cast<std::int64_t>(keeper);
  return path;
}

int write_file(int folder, const char* name, const char* value) {
  const long fd = sys(SYS_openat, folder, name, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return static_cast<int>(fd);
  const std::string_view text(value);
  const long n = sys(SYS_write, fd, text.data(), text.size());
  sys(SYS_close, fd);
  return n < 0 ? static_cast<int>(n) : 0;
}

/// Read once, so that only later changes count as news.
void watch_memory(RunCgroups& groups) {
  if (groups.unified < 0) return;
  groups.memory_events = static_cast<int>(
      sys(SYS_openat, groups.folders[groups.unified], "memory.events", O_RDONLY | O_CLOEXEC));
  count_oom_kills(groups);
}

/// An earlier keeper with this pid may have been killed and have left one of that name. Ours is
/// made anew: since 6.14 the kernel kills whoever is born into a group that was ever killed by way
/// of cgroup.kill, if the parent's was not (cgroup_post_fork, kill_seq).
long make_folder(const Path& path) {
  const long made = sys(SYS_mkdirat, AT_FDCWD, path.c_str(), 0755);
  if (made != -EEXIST) return made;
  sys(SYS_unlinkat, AT_FDCWD, path.c_str(), AT_REMOVEDIR);
  return sys(SYS_mkdirat, AT_FDCWD, path.c_str(), 0755);
}

int make_group(const PlanView& plan, const CgroupEntry& entry, pid_t keeper) {
  const Path path = group_path(plan, entry, keeper);
  const long made = make_folder(path);
  if (made < 0) return static_cast<int>(made);
  const long folder = sys(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return static_cast<int>(folder);
  char** setting = plan.texts(entry.settings);
  for (; setting[0] != nullptr && setting[1] != nullptr; setting += 2) {
    write_file(static_cast<int>(folder), setting[0], setting[1]);
  }
  return static_cast<int>(folder);
}

}  // namespace

RunCgroups make_cgroups(const PlanView& plan, pid_t keeper) {
  RunCgroups groups;
  for (const CgroupEntry& entry : plan.cgroups()) {
    if (groups.count == kMaxCgroups) break;
    const std::uint32_t i = groups.count++;
    groups.folders[i] = make_group(plan, entry, keeper);
    groups.tasks[i] = -1;
    if (groups.folders[i] < 0) continue;
    if (entry.unified != 0) {
      groups.unified = static_cast<int>(i);
    } else {
      // Not cgroup.procs: a thread that writes itself into `tasks` is moved without the global
      // threadgroup lock, in 0.1 ms instead of the 7 ms of an RCU grace period (kernel 6.1 and
      // later, cgroup_procs_write_start; measured on 6.18). The child has one thread.
      const long tasks = sys(SYS_openat, groups.folders[i], "tasks", O_WRONLY | O_CLOEXEC);
      groups.tasks[i] = static_cast<int>(tasks);
    }
  }
  watch_memory(groups);
  return groups;
}

RunCgroups open_scope(const PlanView& plan, pid_t keeper, pid_t job) {
  Line<32> file;
  file << "/proc/" << static_cast<std::int64_t>(job) << "/cgroup";
  char buffer[1024];
  std::string_view group = read_small(file.c_str(), buffer);  // "0::/user.slice/…\n"
  Path name;
  name << "/" << plan.text(plan->cgroup_name) << ".";
  name << static_cast<std::int64_t>(keeper);
  name << ".scope\n";
  RunCgroups groups;
  if (!group.starts_with("0::") || !group.ends_with(name.view())) return groups;
  group.remove_prefix(3);
  group.remove_suffix(1);
  Path path;
  path << plan.text(plan->scope_mount) << group;
  const long folder = sys(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return groups;
  groups.count = 1;
  groups.folders[0] = static_cast<int>(folder);
  groups.unified = 0;
  watch_memory(groups);
  return groups;
}

void remove_cgroups(const PlanView& plan, const RunCgroups& groups, pid_t keeper) {
  std::uint32_t i = 0;
  for (const CgroupEntry& entry : plan.cgroups()) {
    if (i == groups.count) break;
    if (groups.folders[i++] < 0) continue;
    const Path path = group_path(plan, entry, keeper);
    sys(SYS_unlinkat, AT_FDCWD, path.c_str(), AT_REMOVEDIR);
  }
}

void thaw_cgroups(const RunCgroups& groups) {
  for (std::uint32_t i = 0; i < groups.count; ++i) {
    if (groups.folders[i] < 0) continue;
    write_file(groups.folders[i], "cgroup.freeze", "0");       // v2
    write_file(groups.folders[i], "freezer.state", "THAWED");  // v1
  }
}

int count_oom_kills(RunCgroups& groups) {
  if (groups.memory_events < 0) return 0;
  char buffer[512];
  const long size = sys(SYS_pread64, groups.memory_events, buffer, sizeof buffer, 0);
  if (size <= 0) {
    // The file of a group that is gone is urgent for ever.
    sys(SYS_close, groups.memory_events);
    groups.memory_events = -1;
    return 0;
  }
  std::string_view text(buffer, static_cast<std::size_t>(size));
  constexpr std::string_view kKey = "\noom_kill ";
  const std::size_t at = text.find(kKey);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + kKey.size());
  return static_cast<int>(take_number(text));
}

bool kill_cgroup(const RunCgroups& groups) {
  if (groups.unified < 0) return false;
  return write_file(groups.folders[groups.unified], "cgroup.kill", "1") == 0;
}

}  // namespace lull::keeper
