#include "jobs/knob_rules.hpp"

#include <algorithm>

namespace lull::knob_rules {
namespace {

std::vector<BlockDevice> disks(const MachineFacts& facts) {
  std::vector<BlockDevice> found;
  std::copy_if(facts.devices.begin(), facts.devices.end(), std::back_inserter(found),
               [](const BlockDevice& device) { return device.kind == DeviceKind::disk; });
  return found;
}

/// "nvme0n1 uses none and honours nothing".
std::string described(const MachineFacts& facts, const BlockDevice& disk) {
  std::string text = disk.name + " uses " + disk.scheduler + " and honours ";
  text += to_string(disk.honours);
  const bool reads_only =
      disk.honours != Honours::nothing && is_below_crypt(facts.devices, disk.name);
  return reads_only ? text + ", of reads only: dm-crypt's own threads write" : text;
}

/// What chooses bfq on a disk now and at each boot.
std::string choose_bfq(const BlockDevice& disk) {
  const auto& can = disk.available;
  const bool there = std::find(can.begin(), can.end(), "bfq") != can.end();
  return std::string(there ? "" : "modprobe bfq && ") + "echo bfq > /sys/block/" + disk.name +
         "/queue/scheduler; for good a udev rule: KERNEL==\"" + disk.name +
         "\", ATTR{queue/scheduler}=\"bfq\"";
}

bool uses_bfq(const BlockDevice& disk) { return disk.scheduler == "bfq"; }

}  // namespace

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

Knob ioprio(const MachineFacts& facts) {
  const std::vector<BlockDevice> all = disks(facts);
  if (all.empty()) {
    return {"ioprio", Verdict::no_effect, "no local disk is known below the jobs' paths", "", ""};
  }
  std::string why;
  for (const BlockDevice& disk : all)
    why += (why.empty() ? "" : "; ") + described(facts, disk);
  why += facts.realtime_io ? "; all classes, both ways"
                           : "; best-effort and idle both ways, realtime not permitted";
  const auto deaf = std::find_if(all.begin(), all.end(), [](const BlockDevice& disk) {
    return disk.honours == Honours::nothing;
  });
  const bool any = std::any_of(all.begin(), all.end(), [](const BlockDevice& disk) {
    return disk.honours != Honours::nothing;
  });
  const std::string fix = deaf == all.end() ? "" : choose_bfq(*deaf);
  return {"ioprio", any ? Verdict::works : Verdict::no_effect, why, fix, ""};
}

Knob followed_by_disks(const MachineFacts& facts, Knob weight, bool iocost_follows) {
  if (weight.verdict != Verdict::works || (iocost_follows && facts.iocost)) return weight;
  const std::vector<BlockDevice> all = disks(facts);
  if (std::any_of(all.begin(), all.end(), uses_bfq)) return weight;
  weight.verdict = Verdict::no_effect;
  weight.why = iocost_follows ? "no disk uses bfq, and io.cost.qos is off" : "no disk uses bfq";
  weight.fix = all.empty() ? "" : choose_bfq(all.front());
  return weight;
}

Knob freeze(const MachineFacts& facts) {
  const V1Group* v1 = v1_group(facts, "freezer");
  if (facts.v2 && facts.v2->writable) {
    return {"freeze", Verdict::works, "cgroup.freeze in groups below " + facts.v2->folder, "", ""};
  }
  if (v1 != nullptr && v1->writable) {
    return {"freeze", Verdict::works, "by v1's freezer, below " + v1->folder, "", ""};
  }
  const std::string instead = "; SIGSTOP to each process of a job instead";
  if (!facts.v2 && v1 == nullptr) {
    return {"freeze", Verdict::no_effect, "no hierarchy of cgroups is mounted" + instead,
            "mount -t cgroup2 none /sys/fs/cgroup", ""};
  }
  if (!facts.v2) {
    return {"freeze", Verdict::not_permitted, "no group may be made in " + v1->folder + instead,
            own_v1_folder(*v1), ""};
  }
  return {"freeze", Verdict::not_permitted, "no group may be made in " + facts.v2->folder + instead,
          delegation(*facts.v2), ""};
}

Knob psi(const MachineFacts& facts) {
  if (facts.psi.empty()) {
    return {"psi", Verdict::no_effect, "there is no /proc/pressure: PSI is off or not built in",
            "psi=1 on the kernel's command line", ""};
  }
  const std::string files = "totals of " + listed(facts.psi) + " at any time";
  if (facts.psi_window.count() == 0) {
    return {"psi", Verdict::works, files + "; no triggers", "", ""};
  }
  const std::string window = std::to_string(facts.psi_window.count()) + " ms";
  const bool short_ones = facts.psi_window < std::chrono::seconds(2);
  return {"psi", Verdict::works,
          files + "; triggers with windows from " + window +
              (short_ones ? "" : " (shorter ones need CAP_SYS_RESOURCE)"),
          "", ""};
}

}  // namespace lull::knob_rules
