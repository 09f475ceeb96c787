#include "runner/os/meter.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/kernel_stats.hpp"
#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lull::os {
namespace {

Fd open_in(const std::string& folder, const char* name) {
  if (folder.empty()) return {};
  return Fd(::open((folder + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
}

std::string path_of(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

/// In nanoseconds where the kernel has them: with one thread schedstat is the whole process, and
/// exact, where stat is rounded down to ticks; but only stat knows of threads that have ended.
Duration cpu_of(pid_t pid) {
  const auto stat = read_file(path_of(pid, "stat"));
  const auto cpu = stat ? parse_process_cpu(*stat) : Result<ProcessCpu>(stat.error());
  if (!cpu) return Duration(0);
  if (cpu->threads != 1) return cpu->own + cpu->children;
  const auto exact = read_file(path_of(pid, "schedstat"));
  const auto words = exact ? words_of(*exact) : std::vector<std::string_view>();
  const auto nanoseconds = words.empty() ? std::nullopt : whole_number<std::int64_t>(words.front());
  const Duration own =
      nanoseconds ? std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(*nanoseconds))
                  : cpu->own;
  return std::max(own, cpu->own) + cpu->children;
}

Use io_of(pid_t pid) {
  const auto text = read_file(path_of(pid, "io"));
  const auto io = text ? parse_process_io(*text) : Result<ProcessIo>(text.error());
  if (io) return {Duration(0), io->read, io->written};
  Use none;
  none.io_known = text || text.error().code() != EACCES;
  return none;
}

/// Whether a process is in the v2 group of that name, or in one below.
bool is_below(pid_t pid, const std::string& group) {
  const auto text = read_file(path_of(pid, "cgroup"));
  if (!text) return true;  // it is gone
  const std::size_t unified = text->find("0::");
  if (unified == std::string::npos) return false;
  const std::string path = text->substr(unified, text->find('\n', unified) - unified) + "/";
  return path.find("/" + group + "/") != std::string::npos;
}

/// What was used beyond `base`, and never less than it was before: a process that nobody waited for
/// takes its account along.
template <class T>
void grow(T& use, T sum, T base) {
  if (sum > base) use = std::max<T>(use, T(sum - base));
}

}  // namespace

RunMeter::RunMeter(RunProcesses run) : run_(std::move(run)) {
  // Written to freeze, so writable where the group is ours; cpu.stat needs no controller.
  const std::string unified = folder_with(run_, "cgroup.freeze");
  if (!unified.empty() && !is_emptied(unified)) {
    cpu_stat_ = open_in(unified, "cpu.stat");
    procs_ = open_in(unified, "cgroup.procs");
    group_ = name_of(unified);
  }
  base_ = sum();
}

/// The keeper counts: what it waited for, the tree's orphans, is in its account.
void RunMeter::find_pids() {
  pids_ = {run_.keeper.pid};
  if (!procs_) {
    tree_ = family_of(run_);
    for (const ProcessStat& process : tree_)
      pids_.push_back(process.pid);
    return;
  }
  std::vector<char> buffer;
  for (const std::string_view word : words_of(reread(procs_, buffer))) {
    if (const auto pid = whole_number<pid_t>(word)) pids_.push_back(*pid);
  }
  // Now and then: to follow a tree costs more than to read a list.
  constexpr unsigned kEvery = 10;
  if (looks_++ % kEvery == 0 || pids_.size() == 1) find_strays();
  for (const auto& [pid, base] : strays_)
    pids_.push_back(pid);
}

/// A job may put processes into groups of their own, and others may move them there.
void RunMeter::find_strays() {
  auto known = std::exchange(strays_, {});
  for (const ProcessStat& process : family_of(run_)) {
    const pid_t pid = process.pid;
    if (std::find(pids_.begin(), pids_.end(), pid) != pids_.end()) continue;
    if (const auto before = known.find(pid); before != known.end()) {
      strays_.insert(*before);
    } else if (is_below(pid, group_)) {
      strays_.emplace(pid, std::nullopt);
    } else {
      strays_.emplace(pid, cpu_of(pid));
    }
  }
}

std::vector<pid_t> RunMeter::outside() const {
  std::vector<pid_t> all;
  for (const auto& [pid, base] : strays_) {
    if (base) all.push_back(pid);
  }
  return all;
}

Use RunMeter::sum() {
  Use all;
  find_pids();
  for (const pid_t pid : pids_) {
    const Use one = io_of(pid);
    all.read.count += one.read.count;
    all.written.count += one.written.count;
    all.io_known = all.io_known && one.io_known;
    if (!cpu_stat_) all.cpu += cpu_of(pid);
  }
  if (!cpu_stat_) return all;
  std::vector<char> buffer;
  const auto usage = parse_cpu_usage(reread(cpu_stat_, buffer));
  all.cpu = usage ? *usage : base_.cpu + use_.cpu;  // the group is gone with the run
  for (const auto& [pid, base] : strays_) {
    if (base) all.cpu += std::max(cpu_of(pid) - *base, Duration(0));
  }
  return all;
}

const Use& RunMeter::read() {
  const Use now = sum();
  grow(use_.cpu, now.cpu, base_.cpu);
  grow(use_.read.count, now.read.count, base_.read.count);
  grow(use_.written.count, now.written.count, base_.written.count);
  use_.io_known = now.io_known;
  return use_;
}

}  // namespace lull::os
