#pragma once

#include "jobs/knobs.hpp"
#include "jobs/spec.hpp"
#include "runner/cli/doctor_gates.hpp"
#include "runner/cli/instance.hpp"

#include <string>
#include <vector>

namespace lull::cli {

struct DoctorOptions {
  bool no_experiment = false;
  bool json = false;
};

/// What was found here, by the user and in the cgroups of this process.
struct Diagnosis {
  MachineFacts facts;
  Capabilities capabilities;
  std::vector<Knob> knobs;
  std::vector<Knob> places;  ///< named after the cgroups where a foreground may be
  std::vector<GateSource> gates;
};

/// Judges a machine's facts, and unless `experiment` is false tries out what can be: about 200 ms
/// for each knob.
Diagnosis examine(MachineFacts facts, bool experiment);

/// What a job's I/O goes to, as far as its file says: absolute paths that need not exist.
std::vector<std::string> paths_of_job(const JobSpec& spec, const std::string& home);

/// {"cpu","knobs":[{"knob","verdict","why","fix","measured"}],"devices":[{"device","name",
/// "scheduler","honours","below":[…],"paths":[…]}],"beside":[…as "knobs", with "place"…],
/// "gates":[{"gate","source","works","says"}]}; "measured" is null where nothing was.
std::string diagnosis_json(const Diagnosis& diagnosis);

/// The subcommand. Exit code 0 whatever the verdicts: they are findings, not failures.
int run_doctor(const InstanceOptions& instance, const DoctorOptions& options);

}  // namespace lull::cli
