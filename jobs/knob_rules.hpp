#pragma once

#include "jobs/knobs.hpp"

// What diagnose() is made of: one function for each knob or family of knobs.
namespace lull::knob_rules {

/// Our group of a v1 controller, or null.
const V1Group* v1_group(const MachineFacts& facts, std::string_view controller);
/// Whether lull's group in the unified hierarchy would have this controller.
bool v2_has(const MachineFacts& facts, std::string_view controller);
/// "a, b and c".
std::string listed(const std::vector<std::string>& names);
/// What lets us make groups there.
std::string delegation(const V2Group& group);
std::string own_v1_folder(const V1Group& group);

Knob nice(const MachineFacts& facts);
Knob autogroup(const MachineFacts& facts);
Knob ioprio(const MachineFacts& facts);
/// A control file of the unified hierarchy that needs `controller` in lull's group.
Knob v2_knob(const MachineFacts& facts, const std::string& file, const std::string& controller,
             const std::string& effect);
/// The same of v1, where our group has it.
std::optional<Knob> v1_knob(const MachineFacts& facts, const std::string& file,
                            const std::string& controller, const std::string& effect);
/// Takes a group's I/O weight back where no disk would follow it.
Knob followed_by_disks(const MachineFacts& facts, Knob weight, bool iocost_follows);
/// Takes cpu.idle back on a kernel that is older than it.
Knob since_5_15(const MachineFacts& facts, Knob idle);
Knob freeze(const MachineFacts& facts);
Knob psi(const MachineFacts& facts);
/// Whether a weight keeps jobs behind what runs in a place, as a knob that is named after it.
Knob beside(const Place& place);

}  // namespace lull::knob_rules
