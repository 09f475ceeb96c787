#include "runner/os/sampler.hpp"

#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace lull::os {
namespace {

constexpr Duration kDisksEvery = std::chrono::seconds(10);
constexpr std::size_t kBuffer = 1U << 16U;

Fd open_for_reading(const char* path) { return Fd(::open(path, O_RDONLY | O_CLOEXEC)); }

void add_use(Use& all, const Use& one) {
  all.cpu += one.cpu;
  all.read.count += one.read.count;
  all.written.count += one.written.count;
}

bool is_keeper(pid_t pid) {
  const auto name = read_file("/proc/" + std::to_string(pid) + "/comm");
  return name && *name == "lull-keeper\n";
}

std::optional<Duration> read_stall(const std::string& path) {
  const auto text = read_file(path);
  const auto stall = text ? parse_stall(*text) : Result<Duration>(text.error());
  return stall ? std::optional(*stall) : std::nullopt;
}

}  // namespace

Sampler::Sampler()
    : stat_(open_for_reading("/proc/stat")),
      diskstats_(open_for_reading("/proc/diskstats")),
      buffer_(kBuffer) {}

void Sampler::add(RunKey key, RunProcesses run) {
  // Counted once: it may have been another lull's until now.
  if (const auto other = others_.find(run.keeper.pid); other != others_.end()) {
    add_use(gone_, other->second.read());
    others_.erase(other);
  }
  driven_.insert_or_assign(key, Driven{RunMeter(std::move(run)), {}});
}

void Sampler::remove(RunKey key) {
  const auto found = driven_.find(key);
  if (found == driven_.end()) return;
  add_use(gone_, found->second.use);
  driven_.erase(found);
}

Sample Sampler::take(Instant at) {
  Sample sample;
  sample.at = at;
  refresh_disks(at);
  read_cpu(sample);
  read_own(sample);
  sample.disks = read_disks(false);
  return sample;
}

void Sampler::read_cpu(Sample& sample) {
  if (const auto times = parse_cpu_times(reread(stat_, buffer_))) {
    sample.cpus = times->cpus;
    sample.idle = times->idle;
    sample.stolen = times->stolen;
  }
  sample.all = read_stalls("/proc/pressure");
}

/// "/proc/pressure/cpu", or "cpu.pressure" in a cgroup's folder.
std::optional<Stalls> Sampler::read_stalls(const std::string& folder) const {
  const bool whole = folder == "/proc/pressure";
  const auto path = [&](const char* name) {
    return folder + "/" + name + (whole ? "" : ".pressure");
  };
  const auto cpu = read_stall(path("cpu"));
  const auto io = read_stall(path("io"));
  const auto memory = read_stall(path("memory"));
  if (!cpu || !io || !memory) return std::nullopt;
  return Stalls{*cpu, *io, *memory};
}

void Sampler::read_own(Sample& sample) {
  Use all = gone_;
  std::set<std::string> parents;
  for (auto& [key, driven] : driven_) {
    driven.use = driven.meter.read();
    add_use(all, driven.use);
    const std::string group = folder_with(driven.meter.run(), "cpu.pressure");
    parents.insert(group.substr(0, group.rfind('/')));
  }
  for (auto& [keeper, meter] : others_)
    add_use(all, meter.read());
  sample.own_cpu = all.cpu;
  sample.own_read = all.read;
  sample.own_written = all.written;
  // All of ours in one group, or there is no telling what of the machine's waiting is ours.
  const bool together = parents.size() == 1 && !parents.begin()->empty() && others_.empty();
  if (together) sample.own = read_stalls(*parents.begin());
}

void Sampler::refresh_disks(Instant at) {
  if (!disks_.empty() && at - disks_read_ < kDisksEvery) return;
  disks_ = list_disks();
  disks_read_ = at;
}

std::vector<DeviceCounters> Sampler::read_disks(bool ignoring_only) {
  auto all = parse_diskstats(reread(diskstats_, buffer_));
  if (!all) return {};
  std::erase_if(*all, [&](const DeviceCounters& counters) {
    const auto disk = std::find_if(disks_.begin(), disks_.end(),
                                   [&](const Disk& one) { return one.name == counters.name; });
    return disk == disks_.end() || (ignoring_only && disk->honours_priorities);
  });
  return std::move(*all);
}

std::vector<DeviceCounters> Sampler::listen() { return read_disks(true); }

/// A process is asked for its name once; one that is new is asked once more at the next look, since
/// a keeper is born with the name of the lull that starts it.
bool Sampler::look_for_others() {
  std::set<pid_t> alive;
  std::set<pid_t> fresh;
  bool found = false;
  const auto pids = all_processes();
  if (!pids) return false;
  for (const pid_t pid : *pids) {
    alive.insert(pid);
    if (strangers_.contains(pid) || others_.contains(pid)) continue;
    const bool is_ours = std::any_of(driven_.begin(), driven_.end(), [pid](const auto& one) {
      return one.second.meter.run().keeper.pid == pid;
    });
    if (is_ours) continue;
    if (is_keeper(pid)) {
      RunProcesses other;
      other.keeper.pid = pid;
      others_.emplace(pid, RunMeter(std::move(other)));
      found = true;
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
    other = gone ? others_.erase(other) : std::next(other);
  }
  return found;
}

const Use* Sampler::use_of(RunKey key) const {
  const auto found = driven_.find(key);
  return found == driven_.end() ? nullptr : &found->second.use;
}

const std::vector<ProcessStat>* Sampler::tree_of(RunKey key) const {
  const auto found = driven_.find(key);
  return found == driven_.end() ? nullptr : &found->second.meter.tree();
}

}  // namespace lull::os
