#include "runner/os/actuator.hpp"

#include "runner/os/cgroups.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/io_priority.hpp"
#include "runner/os/read_file.hpp"
#include "runner/os/sched.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace lull::os {
namespace {

/// 0 or errno. A file that is not there is a knob that this machine has not.
int write_file(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno;
  return ::write(file.get(), text.data(), text.size()) < 0 ? errno : 0;
}

/// cpu.idle first when it goes to 0 and last when it goes to 1: an idle group's weight cannot be
/// written (EINVAL, kernel commit 30400039).
void write_cpu_weight(const std::string& folder, int nice) {
  const bool idle = nice >= kIdleNice;
  if (!idle) write_file(folder + "/cpu.idle", "0");
  write_file(folder + "/cpu.shares", std::to_string(weight_of_nice(nice)));  // v1
  write_file(folder + "/cpu.weight.nice", std::to_string(nice));             // v2
  if (idle) write_file(folder + "/cpu.idle", "1");
}

void write_io_weight(const std::string& folder, const Level& level) {
  const std::string weight = std::to_string(io_weight_of(level));
  write_file(folder + "/blkio.bfq.weight", weight);  // v1
  write_file(folder + "/io.bfq.weight", weight);     // v2
  write_file(folder + "/io.weight", weight);
  // Reaches write-back too, which a process's own class does not (Documentation/block/ioprio).
  write_file(folder + "/io.prio.class", level.io.io_class == IoClass::idle ? "idle" : "no-change");
}

/// Whether somebody else gave a thread what it has: what they are known to have chosen, else what
/// is neither what we set last nor what we are setting.
template <class T>
bool is_theirs(std::map<pid_t, T>& theirs, pid_t thread, const T& now, const T& set,
               const T& asked) {
  if (const auto known = theirs.find(thread); known != theirs.end()) {
    if (known->second == now) return true;
    theirs.erase(known);
  }
  if (now == set || now == asked) return false;
  theirs.emplace(thread, now);
  return true;
}

template <class T>
std::optional<T> value_of(const Result<T>& result) {
  return result ? std::optional(*result) : std::nullopt;
}

constexpr std::array kReadBack{"cpu.shares", "cpu.weight",       "cpu.idle",
                               "io.weight",  "blkio.bfq.weight", "memory.high"};

}  // namespace

Actuator::Actuator(RunProcesses run, Capabilities can, const Level& level,
                   std::optional<int> first_nice)
    : run_(std::move(run)), can_(can), set_(level), asked_(level) {
  const auto id = static_cast<id_t>(run_.main);
  const auto nice = value_of(get_nice(Whose::process, id));
  const auto io = value_of(get_io_priority(Whose::process, id));
  if (first_nice) {
    set_.nice = *first_nice;
    if (nice && *nice != *first_nice) their_nice_.emplace(run_.main, *nice);
    if (io && *io != level.io) their_io_.emplace(run_.main, *io);
  } else {
    set_.nice = nice.value_or(level.nice);
    set_.io = io.value_or(level.io);
  }
  const auto stat = read_process_stat(run_.main);
  const auto autogroup = read_autogroup(run_.main);
  if (!stat || !autogroup || !*autogroup) return;
  autogroups_[stat->session] = **autogroup;
  if (first_nice && **autogroup != level.nice) refused_.insert(stat->session);
}

Applied Actuator::apply(const Level& level) {
  asked_ = level;
  set_groups(level);
  std::set<pid_t> threads;
  for_each_process(run_, [&](const ProcessStat& process) {
    set_threads(process.pid, threads);
    set_autogroup(process);
  });
  const auto has_ended = [&](const auto& thread) { return !threads.contains(thread.first); };
  std::erase_if(their_nice_, has_ended);
  std::erase_if(their_io_, has_ended);
  if (can_.may_renice(set_.nice, level.nice)) set_.nice = level.nice;
  set_.io = level.io;
  return read_back();
}

/// Until a look finds no new one: a thread has what the one that made it had then.
void Actuator::set_threads(pid_t process, std::set<pid_t>& done) {
  for (bool found_new = true; found_new;) {
    found_new = false;
    for (const pid_t thread : threads_of(process)) {
      if (!done.insert(thread).second) continue;
      found_new = true;
      set_thread(thread, asked_);
    }
  }
}

void Actuator::set_thread(pid_t thread, const Level& level) {
  const auto id = static_cast<id_t>(thread);
  const auto nice = get_nice(Whose::process, id);
  const bool may = can_.may_renice(set_.nice, level.nice);
  if (nice && !is_theirs(their_nice_, thread, *nice, set_.nice, level.nice) && may &&
      *nice != level.nice) {
    ::setpriority(PRIO_PROCESS, id, level.nice);  // a thread that is gone needs none
  }
  if (can_.cpu == CpuKnob::autogroup) set_policy(thread, level);
  const auto io = get_io_priority(Whose::process, id);
  if (io && !is_theirs(their_io_, thread, *io, set_.io, level.io) && *io != level.io) {
    (void)set_io_priority(Whose::process, id, level.io);
  }
}

/// What a job gets is its autogroup's matter. SCHED_IDLE inside of it changes that share by
/// nothing, but the kernel takes a CPU that runs nothing else for a free one (sched_idle_cpu), so
/// that the foreground's threads spread over the CPUs instead of queueing up behind one another.
void Actuator::set_policy(pid_t thread, const Level& level) {
  const auto now = get_sched_policy(thread);
  if (!now) return;
  const bool idle = level.nice >= kIdleNice;
  if (idle && *now == SchedPolicy::other) {
    made_idle_ = set_sched_policy(thread, SchedPolicy::idle).has_value() || made_idle_;
  } else if (!idle && made_idle_ && *now == SchedPolicy::idle) {
    (void)set_sched_policy(thread, SchedPolicy::other);  // it stays where it may not come back
  }
}

void Actuator::set_groups(const Level& level) const {
  for (const std::string& folder : run_.cgroups)
    set_group_weight(folder, level);
}

/// One for each session: all processes in it have the same.
void Actuator::set_autogroup(const ProcessStat& process) {
  const auto known = autogroups_.find(process.session);
  if (known != autogroups_.end() && known->second == asked_.nice) {
    refused_.erase(process.session);  // nothing is left to be done
    return;
  }
  const auto now = read_autogroup(process.pid);
  if (!now || !*now) return;  // none on this kernel, or the process is gone
  const bool is_theirs =
      known != autogroups_.end() && **now != known->second && !refused_.contains(process.session);
  autogroup_is_theirs_ = autogroup_is_theirs_ || is_theirs;
  if (is_theirs) return;
  const std::string path = "/proc/" + std::to_string(process.pid) + "/autogroup";
  const int error = write_file(path, std::to_string(asked_.nice));
  if (error == EAGAIN) {
    refused_.insert(process.session);
    return;
  }
  // Any other error is the last word until the next level: root's session, as sudo makes one.
  refused_.erase(process.session);
  autogroups_[process.session] = error == 0 ? asked_.nice : **now;
}

void Actuator::look_after_autogroups(const std::vector<ProcessStat>& tree) {
  for (const ProcessStat& process : tree) {
    if (has_exited(process)) continue;  // its files are root's, and it waits for a parent
    if (!autogroups_.contains(process.session) || refused_.contains(process.session)) {
      set_autogroup(process);
    }
  }
  const auto is_there = [&](pid_t session) {
    return std::any_of(tree.begin(), tree.end(), [session](const ProcessStat& process) {
      return process.session == session;
    });
  };
  std::erase_if(refused_, [&](pid_t session) { return !is_there(session); });
  std::erase_if(autogroups_, [&](const auto& group) { return !is_there(group.first); });
}

Applied Actuator::read_back() const {
  Applied applied;
  const auto id = static_cast<id_t>(run_.main);
  if (const auto nice = get_nice(Whose::process, id)) {
    applied.emplace_back("nice", std::to_string(*nice));
    if (!their_nice_.empty())
      applied.emplace_back("nice.left", "changed by somebody else");
    else if (*nice != asked_.nice)
      applied.emplace_back("nice.kept", "it could not come back (RLIMIT_NICE)");
  }
  if (const auto policy = get_sched_policy(run_.main); policy && *policy != SchedPolicy::other) {
    applied.emplace_back("policy", to_string(*policy));
  }
  if (const auto io = get_io_priority(Whose::process, id)) {
    applied.emplace_back("io", to_string(*io));
    if (!their_io_.empty()) applied.emplace_back("io.left", "changed by somebody else");
  }
  if (const auto autogroup = read_autogroup(run_.main); autogroup && *autogroup) {
    applied.emplace_back("autogroup", std::to_string(**autogroup));
    if (autogroup_is_theirs_) applied.emplace_back("autogroup.left", "changed by somebody else");
    if (!refused_.empty())
      applied.emplace_back("autogroup.waits", "the kernel takes one write in 100 ms");
  }
  for (const std::string& folder : run_.cgroups) {
    for (const char* file : kReadBack) {
      const auto text = read_file(folder + "/" + file);
      if (text) applied.emplace_back(file, text->substr(0, text->find('\n')));
    }
  }
  return applied;
}

void set_group_weight(const std::string& folder, const Level& level) {
  write_cpu_weight(folder, level.nice);
  write_io_weight(folder, level);
}

}  // namespace lull::os
