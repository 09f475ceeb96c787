#include "runner/os/sampler.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>

namespace lull::os {
namespace {

using std::chrono::microseconds;
static_assert(CLOCKS_PER_SEC == microseconds::period::den, "as POSIX has it");

constexpr Duration kDisksEvery = std::chrono::seconds(10);
constexpr Duration kLookAroundEvery = std::chrono::seconds(10);
constexpr std::size_t kBuffer = 1U << 16U;

Fd open_for_reading(const char* path) { return Fd(::open(path, O_RDONLY | O_CLOEXEC)); }

void add_use(Use& all, const Use& one) {
  all.cpu += one.cpu;
  all.read.count += one.read.count;
  all.written.count += one.written.count;
  all.io_known = all.io_known && one.io_known;
}

/// How many of `threads` wait for I/O now.
std::ptrdiff_t count_blocked(const std::vector<pid_t>& threads) {
  return std::count_if(threads.begin(), threads.end(), [](pid_t thread) {
    const auto stat = read_process_stat(thread);
    return stat && stat->state == 'D';
  });
}

}  // namespace

Sampler::Sampler()
    : stat_(open_for_reading("/proc/stat")), all_stalls_("/proc/pressure", ""), buffer_(kBuffer) {}

void Sampler::add(RunKey key, RunProcesses run) {
  // Counted once: it may have been another lull's until now.
  if (const auto other = others_.find(run.keeper.pid); other != others_.end()) {
    add_use(gone_, other->second.read());
    others_.erase(other);
  }
  const std::string group = folder_with(run, "cpu.pressure");
  std::string parent = parent_of(group);
  driven_.insert_or_assign(key, Driven{RunMeter(std::move(run)), std::move(parent), {}});
  look_around_ = true;
}

void Sampler::remove(RunKey key) {
  const auto found = driven_.find(key);
  if (found == driven_.end()) return;
  add_use(gone_, found->second.use);
  gone_driven_cpu_ += found->second.use.cpu;
  driven_.erase(found);
}

Sample Sampler::take(Instant at) {
  Sample sample;
  sample.at = at;
  refresh_disks(at);
  look_around(at);
  const int blocked = read_cpu(sample);
  // Before our own: what of ours completes in between must not look like somebody else's.
  sample.disks = listen();
  const Duration runs = read_own(sample);
  sample.own_cpu = runs + microseconds(std::clock());
  read_unranked(sample, runs);
  sample.foreground_stall = foreground_.stall(buffer_);
  if (blocked > 0) sample.waiting = others_waiting();
  return sample;
}

/// Returns how many threads wait for I/O.
int Sampler::read_cpu(Sample& sample) {
  sample.all = all_stalls_.read(buffer_);
  const auto times = parse_cpu_times(reread(stat_, buffer_));
  if (!times) return 0;
  sample.cpus = times->cpus;
  sample.idle = times->idle;
  sample.stolen = times->stolen;
  return times->blocked;
}

/// Everybody's number lies between two looks at ours, so that the mean of these is neither early
/// nor late: off by chance, not by rule.
double Sampler::others_waiting() {
  constexpr std::size_t kMost = 32;  // more than that would cost more than the knowledge is worth
  std::vector<pid_t> threads;
  const auto add_threads = [&](const RunMeter& meter) {
    for (const pid_t pid : meter.pids()) {
      if (threads.size() > kMost) return;
      const auto some = threads_of(pid);
      threads.insert(threads.end(), some.begin(), some.end());
    }
  };
  for (const auto& [key, driven] : driven_)
    add_threads(driven.meter);
  for (const auto& [keeper, meter] : others_)
    add_threads(meter);
  if (threads.size() > kMost) return 0;
  const auto before = count_blocked(threads);
  const auto everybody = parse_cpu_times(reread(stat_, buffer_));
  const auto after = count_blocked(threads);
  return everybody ? everybody->blocked - static_cast<double>(before + after) / 2 : 0;
}

/// Returns the CPU time of all runs.
Duration Sampler::read_own(Sample& sample) {
  Use all = gone_;
  all.io_known = true;  // what is gone does nothing any more
  for (auto& [key, driven] : driven_) {
    driven.use = driven.meter.read();
    add_use(all, driven.use);
  }
  for (auto& [keeper, meter] : others_) {
    const Use before = meter.use();
    const Use& now = meter.read();
    add_use(all, now);
    sample.others_io = sample.others_io || !now.io_known || did_io(before, now);
  }
  sample.own_io_known = all.io_known;
  sample.own_read = all.read;
  sample.own_written = all.written;
  read_own_stalls(sample);
  return all.cpu;
}

/// Two groups that wait at once are counted twice: what that leaves of the machine's waiting is too
/// little, never too much.
void Sampler::read_own_stalls(Sample& sample) {
  std::set<std::string> parents;
  for (const auto& [key, driven] : driven_)
    parents.insert(driven.parent);
  std::erase_if(own_stalls_, [&](const auto& files) { return !parents.contains(files.first); });
  bool all_known = others_.empty() && !parents.empty();
  Stalls sum;
  for (const std::string& parent : parents) {
    auto files = own_stalls_.find(parent);
    if (files == own_stalls_.end() && !parent.empty()) {
      files = own_stalls_.emplace(parent, StallFiles(parent, ".pressure")).first;
    }
    const auto one = parent.empty() ? std::nullopt : files->second.read(buffer_);
    all_known = all_known && one;
    if (!one) continue;
    sum.cpu += one->cpu;
    sum.io += one->io;
    sum.memory += one->memory;
  }
  sample.own_memory_stall = sum.memory;
  // Of all our runs, or there is no telling what of the machine's waiting is ours.
  if (all_known) sample.own = sum;
}

void Sampler::refresh_disks(Instant at) {
  if (!disks_.empty() && at - disks_read_ < kDisksEvery) return;
  disks_read_ = at;
  const auto names = list_disks();
  std::erase_if(disks_, [&](const auto& disk) {
    return std::find(names.begin(), names.end(), disk.first) == names.end();
  });
  for (const std::string& name : names) {
    if (!disks_.contains(name))
      disks_.emplace(name, open_for_reading(("/sys/block/" + name + "/stat").c_str()));
  }
}

/// All of one user's runs are in the same branch, but for those that are never adapted.
void Sampler::look_around(Instant at) {
  if (!look_around_ && at - looked_around_ < kLookAroundEvery) return;
  look_around_ = false;
  looked_around_ = at;
  std::string folder;
  for (const auto& [key, driven] : driven_) {
    std::string own = folder_with(driven.meter.run(), "cpu.weight");
    if (!lull_groups_above(own).empty()) folder = std::move(own);
  }
  unranked_.look_at(folder);
  std::set<std::string> disks;
  for (const auto& [name, counters] : disks_)
    disks.insert(disk_number(name));
  foreground_.look_around(folder, std::move(disks));
}

/// Runs of other lulls are outside, and nobody's foreground.
void Sampler::read_unranked(Sample& sample, Duration runs) {
  sample.unranked = unranked_.read(buffer_);
  if (!sample.unranked) return;
  Duration ours = gone_driven_cpu_;
  for (const auto& [key, driven] : driven_)
    ours += driven.use.cpu;
  sample.unranked->cpu -= runs - ours;
}

/// From each disk's own file: /proc/diskstats has all the loop devices too, of which a desktop with
/// snaps has dozens.
std::vector<DeviceCounters> Sampler::listen() {
  std::vector<DeviceCounters> all;
  std::erase_if(disks_, [&](const auto& disk) {
    auto counters = parse_disk_counters(reread(disk.second, buffer_));
    if (!counters) return true;  // it was taken out, and comes back as another file
    counters->name = disk.first;
    all.push_back(std::move(*counters));
    return false;
  });
  return all;
}

/// A process is asked for its name once; one that is new is asked once more at the next look, since
/// a keeper is born with the name of the lull that starts it.
bool Sampler::look_for_others() {
  std::set<pid_t> alive;
  std::set<pid_t> fresh;
  bool changed = false;
  const auto pids = all_processes();
  if (!pids) return false;
  for (const pid_t pid : *pids) {
    alive.insert(pid);
    if (strangers_.contains(pid) || others_.contains(pid)) continue;
    const bool is_ours = std::any_of(driven_.begin(), driven_.end(), [pid](const auto& one) {
      return one.second.meter.run().keeper.pid == pid;
    });
    if (is_ours) continue;
    if (is_keeper(pid) && !belongs_to_run(pid)) {
      RunProcesses other;
      other.keeper.pid = pid;
      others_.emplace(pid, RunMeter(std::move(other)));
      changed = true;
    } else if (newcomers_.contains(pid)) {
      strangers_.insert(pid);
    } else {
      fresh.insert(pid);
    }
  }
  newcomers_ = std::move(fresh);
  std::erase_if(strangers_, [&](pid_t pid) { return !alive.contains(pid); });
  for (auto other = others_.begin(); other != others_.end();) {
    const bool gone = !alive.contains(other->first);
    if (gone) add_use(gone_, other->second.read());
    changed = changed || gone;
    other = gone ? others_.erase(other) : std::next(other);
  }
  return changed;
}

const Use* Sampler::use_of(RunKey key) const {
  const auto found = driven_.find(key);
  return found == driven_.end() ? nullptr : &found->second.use;
}

std::vector<ProcessStat> Sampler::tree_of(RunKey key) const {
  const auto found = driven_.find(key);
  if (found == driven_.end()) return {};
  const RunMeter& meter = found->second.meter;
  return meter.tree().empty() ? os::tree_of(meter.run()) : meter.tree();
}

std::vector<pid_t> Sampler::outside_of(RunKey key) const {
  const auto found = driven_.find(key);
  return found == driven_.end() ? std::vector<pid_t>() : found->second.meter.outside();
}

}  // namespace lull::os
