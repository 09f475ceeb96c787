#include "jobs/foreground.hpp"

#include <algorithm>

namespace lull {
namespace {

double share_of(Duration part, Duration whole) {
  if (whole.count() <= 0) return 0;
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

double clamped_share(Duration part, Duration whole) {
  return std::clamp(share_of(part, whole), 0.0, 1.0);
}

const DeviceCounters* find(const std::vector<DeviceCounters>& disks, const std::string& name) {
  const auto found = std::find_if(disks.begin(), disks.end(),
                                  [&](const DeviceCounters& disk) { return disk.name == name; });
  return found == disks.end() ? nullptr : &*found;
}

/// Waiting of our own jobs is waiting on the machine: whoever waits beyond that is the foreground.
/// Where both wait at once this says too little, never too much.
double certain_cpu_stall(const Sample& before, const Sample& now, Duration span) {
  const bool all_known = before.all && now.all && before.own && now.own;
  if (!all_known && before.foreground_stall && now.foreground_stall) {
    return clamped_share(*now.foreground_stall - *before.foreground_stall, span);
  }
  if (!all_known) return 0;
  const Duration all = now.all->cpu - before.all->cpu;
  const Duration own = now.own->cpu - before.own->cpu;
  return clamped_share(all - own, span);
}

/// Memory is short for all alike, and whoever waits for it, the foreground will too; but what our
/// jobs wait for may be a limit of their own.
double memory_stall(const Sample& before, const Sample& now, Duration span) {
  if (!before.all || !now.all) return 0;
  const Duration own = now.own_memory_stall - before.own_memory_stall;
  return clamped_share(now.all->memory - before.all->memory - own, span);
}

std::vector<DeviceUse> device_uses(const Sample& before, const Sample& now, Duration span) {
  std::vector<DeviceUse> uses;
  for (const DeviceCounters& disk : now.disks) {
    const DeviceCounters* earlier = find(before.disks, disk.name);
    if (earlier == nullptr || disk.busy == earlier->busy) continue;
    uses.push_back({disk.name, clamped_share(disk.busy - earlier->busy, span)});
  }
  return uses;
}

double unranked_cpu(const Sample& before, const Sample& now, double all) {
  if (!before.unranked || !now.unranked || before.unranked->group != now.unranked->group) return 0;
  const double used = share_of(now.unranked->cpu - before.unranked->cpu, now.at - before.at);
  return std::clamp(used, 0.0, all);
}

}  // namespace

Observation foreground(const Sample& before, const Sample& now) {
  Observation seen;
  seen.at = now.at;
  seen.cpus = now.cpus;
  const Duration span = now.at - before.at;
  const Duration used = span * now.cpus - (now.idle - before.idle) - (now.stolen - before.stolen);
  const Duration own = now.own_cpu - before.own_cpu;
  seen.cpu = std::clamp(share_of(used - own, span), 0.0, static_cast<double>(now.cpus));
  seen.unranked_cpu = unranked_cpu(before, now, seen.cpu);
  seen.own_cpu = std::max(0.0, share_of(own, span));
  // However long it waits, it does not wait for us longer than we ran.
  seen.cpu_stall = std::min(certain_cpu_stall(before, now, span), seen.own_cpu);
  seen.memory_stall = memory_stall(before, now, span);
  seen.devices = device_uses(before, now, span);
  return seen;
}

}  // namespace lull
