#include "runner/keeper/run.hpp"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

namespace lull::keeper {
namespace {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  bool zombie = false;
  bool ours = false;
};

/// /proc/PID/task/TID/children would spare the scan, but not every kernel is built with it
/// (CONFIG_PROC_CHILDREN); a tree is looked for only when a job is stopped or leaves something.
constexpr std::size_t kMaxProcesses = 1U << 16U;
Process processes[kMaxProcesses];  // NOLINT: too large for a stack; pages untouched cost nothing

/// From /proc/PID/stat: "PID (COMM) STATE PPID …", where COMM may hold anything.
Process read_process(pid_t pid) {
  char buffer[1024];
  Line<32> path;
  path << "/proc/" << static_cast<std::int64_t>(pid) << "/stat";
  std::string_view text = read_small(path.c_str(), buffer);
  const std::size_t at = text.rfind(')');
  if (at == std::string_view::npos || text.size() < at + 5) return {};
  text.remove_prefix(at + 2);
  Process process{.pid = pid, .zombie = text.front() == 'Z' || text.front() == 'X'};
  text.remove_prefix(2);
  process.parent = static_cast<pid_t>(take_number(text));
  return process;
}

/// struct linux_dirent64, whose names begin at a fixed offset.
constexpr std::size_t kNameOffset = 19;
constexpr std::size_t kLengthOffset = 16;

std::size_t add_entries(std::span<const char> entries, std::size_t count) {
  for (std::size_t at = 0; at < entries.size() && count < kMaxProcesses;) {
    const char* entry = entries.data() + at;
    std::uint16_t length = 0;
    __builtin_memcpy(&length, entry + kLengthOffset, sizeof length);
    std::string_view name(entry + kNameOffset);
    const auto pid = static_cast<pid_t>(take_number(name));
    if (pid > 0 && name.empty()) {
      processes[count] = read_process(pid);
      if (processes[count].pid != 0) ++count;
    }
    at += length;
  }
  return count;
}

std::size_t list_processes() {
  const long proc = sys(SYS_openat, AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return 0;
  std::size_t count = 0;
  alignas(8) char buffer[8192];
  for (;;) {
    const long n = sys(SYS_getdents64, proc, buffer, sizeof buffer);
    if (n <= 0) break;
    count = add_entries({buffer, static_cast<std::size_t>(n)}, count);
  }
  sys(SYS_close, proc);
  return count;
}

/// /proc lists pids in ascending order.
Process* find(std::size_t count, pid_t pid) {
  std::size_t low = 0;
  while (low < count) {
    const std::size_t middle = (low + count) / 2;
    if (processes[middle].pid == pid) return &processes[middle];
    if (processes[middle].pid < pid) {
      low = middle + 1;
    } else {
      count = middle;
    }
  }
  return nullptr;
}

/// Marks all that descends from `root`, however deep: until a pass finds nothing new.
void mark_descendants(std::size_t count, pid_t root) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < count; ++i) {
      Process& process = processes[i];
      if (process.ours || process.pid == root) continue;
      const Process* parent = find(count, process.parent);
      process.ours = process.parent == root || (parent != nullptr && parent->ours);
      again = again || process.ours;
    }
  }
}

/// The pid may have been given to somebody else since we read it: the pidfd holds on to whoever has
/// it now, and the parent tells whether that is still the one we mean.
void signal_process(const Process& process, pid_t root, int signal) {
  const long fd = sys(SYS_pidfd_open, process.pid, 0);
  if (fd < 0) return;
  const Process now = read_process(process.pid);
  if (now.parent == process.parent || now.parent == root) {
    sys(SYS_pidfd_send_signal, fd, signal, nullptr, 0);
  }
  sys(SYS_close, fd);
}

}  // namespace

int signal_tree(pid_t root, int signal) {
  const std::size_t count = list_processes();
  mark_descendants(count, root);
  int found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!processes[i].ours || processes[i].zombie) continue;
    ++found;
    if (signal != 0) signal_process(processes[i], root, signal);
  }
  return found;
}

}  // namespace lull::keeper
