#include "jobs/knobs.hpp"

#include "jobs/knob_rules.hpp"

#include <algorithm>
#include <cerrno>

namespace lull {
namespace {

using namespace knob_rules;

constexpr KernelVersion kCpuIdle{5, 15};

CpuKnob cpu_knob(const MachineFacts& facts) {
  if (facts.scopes) return CpuKnob::cgroup;
  const V1Group* v1 = v1_group(facts, "cpu");
  if ((v1 != nullptr && v1->writable) || v2_has(facts, "cpu")) return CpuKnob::cgroup;
  if (!facts.cpu_group.empty()) return CpuKnob::none;
  return facts.autogroup == Autogroup::on ? CpuKnob::autogroup : CpuKnob::nice;
}

bool freezes_by_group(const MachineFacts& facts) {
  const V1Group* v1 = v1_group(facts, "freezer");
  return facts.scopes || (facts.v2 && facts.v2->writable) || (v1 != nullptr && v1->writable);
}

void add_v1_knobs(const MachineFacts& facts, std::vector<Knob>& knobs) {
  const auto add = [&](const std::optional<Knob>& knob) {
    if (knob) knobs.push_back(*knob);
  };
  add(v1_knob(facts, "cpu.shares", "cpu", "weighs all jobs together beside what else is in"));
  if (auto idle = v1_knob(facts, "cpu.idle", "cpu", "jobs get only what nobody wants in")) {
    knobs.push_back(since_5_15(facts, *idle));
  }
  if (auto weight = v1_knob(facts, "blkio.bfq.weight", "blkio", "weighs the I/O of jobs in")) {
    knobs.push_back(followed_by_disks(facts, *weight, false));
  }
  add(v1_knob(facts, "memory.soft_limit_in_bytes", "memory",
              "has memory and page cache of jobs reclaimed first, when memory is short, below"));
  add(v1_knob(facts, "freezer.state", "freezer", "pauses whole jobs below"));
}

void add_v1_trials(const MachineFacts& facts, std::vector<Trial>& all) {
  const auto add = [&](const char* controller, const char* file, const char* value,
                       const char* undo) {
    const V1Group* group = v1_group(facts, controller);
    if (group == nullptr || !group->open) return;
    const std::string knob = std::string(file) + " (v1)";
    all.push_back({knob, Trial::Way::group, group->folder, file, value, undo});
  };
  add("cpu", "cpu.shares", "15", "");
  if (facts.kernel >= kCpuIdle) add("cpu", "cpu.idle", "1", "");
  add("freezer", "freezer.state", "FROZEN", "THAWED");
}

void add_v2_trials(const MachineFacts& facts, std::vector<Trial>& all) {
  if (!facts.v2 || !facts.v2->open) return;
  const std::string& folder = facts.v2->folder;
  if (v2_has(facts, "cpu")) {
    all.push_back({"cpu.weight", Trial::Way::group, folder, "cpu.weight", "1", ""});
    if (facts.kernel >= kCpuIdle) {
      all.push_back({"cpu.idle", Trial::Way::group, folder, "cpu.idle", "1", ""});
    }
  }
  all.push_back({"freeze", Trial::Way::group, folder, "cgroup.freeze", "1", "0"});
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::works:
      return "works";
    case Verdict::no_effect:
      return "no effect";
    case Verdict::not_permitted:
      return "not permitted";
  }
  return "no effect";
}

Capabilities capabilities(const MachineFacts& facts) {
  return {cpu_knob(facts), facts.returnable_nice, freezes_by_group(facts)};
}

std::vector<Knob> diagnose(const MachineFacts& facts) {
  std::vector<Knob> knobs{
      nice(facts), autogroup(facts),
      v2_knob(facts, "cpu.weight", "cpu", "weighs all jobs together beside what else is in"),
      since_5_15(facts, v2_knob(facts, "cpu.idle", "cpu", "jobs get only what nobody wants in"))};
  knobs.push_back(ioprio(facts));
  knobs.push_back(followed_by_disks(
      facts, v2_knob(facts, "io.weight", "io", "weighs the I/O of jobs in"), true));
  knobs.push_back(v2_knob(facts, "memory.high", "memory",
                          "bounds memory and page cache of jobs by slowing them below"));
  knobs.push_back(freeze(facts));
  knobs.push_back(psi(facts));
  add_v1_knobs(facts, knobs);
  return knobs;
}

std::vector<Knob> diagnose_places(const MachineFacts& facts) {
  std::vector<Knob> all;
  std::transform(facts.places.begin(), facts.places.end(), std::back_inserter(all), beside);
  return all;
}

int SharedCpu::percent() const {
  const auto both = held_back + plain;
  if (both.count() == 0) return 50;
  return static_cast<int>((held_back.count() * 100 + both.count() / 2) / both.count());
}

bool SharedCpu::enough() const { return held_back + plain >= std::chrono::milliseconds(40); }

std::vector<Trial> trials(const MachineFacts& facts) {
  std::vector<Trial> all;
  // Beside a spinner that is as low as ourselves, low does not show.
  constexpr int kTooLow = 10;
  if (facts.own_nice > kTooLow) return all;
  // Inside a group nice ranks our two spinners, which says nothing about the foreground outside.
  if (facts.cpu_group.empty()) all.push_back({"nice", Trial::Way::nice, "", "", "", ""});
  if (facts.autogroup != Autogroup::absent) {
    all.push_back({"autogroup", Trial::Way::autogroup, "", "", "", ""});
  }
  add_v2_trials(facts, all);
  add_v1_trials(facts, all);
  return all;
}

bool contradicts(const SharedCpu& measured, const Knob& knob) {
  // Between the two lies what chance and other processes may do in 200 ms.
  constexpr int kHeldBack = 25;
  constexpr int kNotHeldBack = 38;
  if (!measured.enough()) return false;
  if (knob.verdict == Verdict::works) return measured.percent() > kNotHeldBack;
  return knob.verdict == Verdict::no_effect && measured.percent() < kHeldBack;
}

void confirm(Knob& knob, const SharedCpu& measured) {
  knob.measured = "not to be told: others filled the CPU";
  if (!measured.enough()) return;
  knob.measured =
      std::to_string(measured.percent()) + " % of one CPU beside a spinner (50 % is no effect)";
  if (!contradicts(measured, knob)) return;
  const bool refuted = knob.verdict == Verdict::works;
  knob.why = std::string(refuted ? "measured to do nothing" : "measured to work") +
             ", though it should not be so: " + knob.why;
  knob.verdict = refuted ? Verdict::no_effect : Verdict::works;
}

void refute(Knob& knob, const Error& failure) {
  knob.measured = "could not be tried: " + failure.what();
  if (knob.verdict != Verdict::works) return;
  const int code = failure.code();
  const bool refused = code == EPERM || code == EACCES || code == EROFS;
  if (!refused && code != ENOENT) return;  // the experiment's own trouble
  knob.verdict = refused ? Verdict::not_permitted : Verdict::no_effect;
  knob.why = "the kernel said no (" + failure.what() + "), though it should not be so: " + knob.why;
}

}  // namespace lull
