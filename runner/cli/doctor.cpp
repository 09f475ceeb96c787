#include "runner/cli/doctor.hpp"

#include "runner/cli/doctor_places.hpp"
#include "runner/cli/table.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/text_width.hpp"
#include "runner/os/account.hpp"
#include "runner/os/block_devices.hpp"
#include "runner/os/experiment.hpp"
#include "runner/os/machine_facts.hpp"
#include "runner/supervisor/load.hpp"
#include "runner/supervisor/scopes.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace lull::cli {
namespace {

namespace fs = std::filesystem;

/// What a pattern such as "/srv/exports/home-{slot}.tar" certainly lies in.
std::string fixed_folder(const std::string& pattern) {
  return fs::path(pattern.substr(0, pattern.find('{'))).parent_path();
}

/// The home of the account that a job runs as.
std::string home_of(const JobSpec& spec, const Account& self) {
  if (spec.user.empty()) return self.home;
  const auto account = os::find_account(spec.user);
  return account ? account->home : self.home;
}

/// Absolute, without links, each once, in their order.
std::vector<std::string> resolved(const std::vector<std::string>& paths) {
  std::vector<std::string> all;
  for (const std::string& path : paths) {
    std::error_code unreadable;  // a folder that we may not look into: then as it is written
    const fs::path real = fs::weakly_canonical(path, unreadable);
    std::string text = unreadable ? path : real.string();
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
  }
  return all;
}

/// The paths of the instance's jobs, or the home where there is no job; and its state.
std::vector<std::string> paths_that_matter(const InstanceOptions& options) {
  const os::InstancePaths instance = paths_of(options);
  const Account self = os::own_account().value();
  const supervisor::Loaded loaded = supervisor::load(instance, self);
  if (!loaded.diagnostics.empty()) {
    complain(
        "some settings or job files have errors, and their paths are not looked at: see `lull "
        "check`");
  }
  std::vector<std::string> paths;
  for (const supervisor::LoadedJob& job : loaded.jobs) {
    if (job.spec == nullptr) continue;
    for (std::string& path : paths_of_job(*job.spec, home_of(*job.spec, self)))
      paths.push_back(std::move(path));
  }
  if (paths.empty()) paths.push_back(self.home);
  paths.push_back(instance.state_dir);
  return resolved(paths);
}

using Json = nlohmann::ordered_json;

Json json_of(const Knob& knob, const char* key) {
  return {{key, knob.name},
          {"verdict", to_string(knob.verdict)},
          {"why", knob.why},
          {"fix", knob.fix},
          {"measured", knob.measured.empty() ? Json() : Json(knob.measured)}};
}

Json json_of(const BlockDevice& device) {
  return {{"device", device.name},         {"name", device.title},
          {"scheduler", device.scheduler}, {"honours", to_string(device.honours)},
          {"below", device.below},         {"paths", device.paths}};
}

Json json_of(const GateSource& gate) {
  return {{"gate", gate.gate}, {"source", gate.source}, {"works", gate.works}, {"says", gate.says}};
}

Tone tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::works:
      return Tone::good;
    case Verdict::no_effect:
      return Tone::notice;
    case Verdict::not_permitted:
      return Tone::bad;
  }
  return Tone::plain;
}

/// The columns that are left for the reasons on this terminal; 0: no limit.
int width_of_reasons(const std::vector<Knob>& knobs, int terminal) {
  constexpr int kLeast = 24;
  constexpr int kVerdict = 13;  // "not permitted"
  constexpr int kBetween = 4;
  int names = 4;
  for (const Knob& knob : knobs)
    names = std::max(names, text_width(knob.name));
  return terminal == 0 ? 0 : std::max(kLeast, terminal - names - kVerdict - kBetween);
}

/// The reasons are sentences, so they go over several lines instead of being cut.
void add_rows(Table& table, const Knob& knob, int width) {
  std::vector<Cell> lines;
  const auto add = [&](const std::string& text, Tone tone) {
    for (std::string& line : wrapped(text, width))
      lines.push_back({std::move(line), tone});
  };
  add(knob.why, Tone::plain);
  if (!knob.measured.empty()) add("measured: " + knob.measured, Tone::faint);
  if (!knob.fix.empty()) add("fix: " + knob.fix, Tone::strong);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0) {
      const std::string verdict(to_string(knob.verdict));
      table.add_row({{knob.name}, {verdict, tone_of(knob.verdict)}, lines[i]});
    } else {
      table.add_row({{}, {}, lines[i]});
    }
  }
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : " ") + part;
  return text;
}

void print_devices(const std::vector<BlockDevice>& devices) {
  Table table(
      {{"DEVICE"}, {"NAME"}, {"SCHEDULER"}, {"HONOURS"}, {"ON"}, {"PATHS", Align::left, true}});
  for (const BlockDevice& device : devices) {
    table.add_row({{device.name},
                   {device.title},
                   {device.scheduler},
                   {std::string(to_string(device.honours))},
                   {joined(device.below)},
                   {joined(device.paths)}});
  }
  print_table(table);
}

void print_knobs(const char* heading, const std::vector<Knob>& knobs) {
  const Terminal terminal = terminal_at(STDOUT_FILENO);
  const int width = width_of_reasons(knobs, terminal.width);
  Table table({{heading}, {"VERDICT"}, {"WHY"}});
  for (const Knob& knob : knobs)
    add_rows(table, knob, width);
  print_table(table);
}

void print_gates(const std::vector<GateSource>& gates) {
  Table table({{"GATE"}, {"ASKED OF"}, {"SAYS", Align::left, true}});
  for (const GateSource& gate : gates)
    table.add_row(
        {{gate.gate}, {gate.source}, {gate.says, gate.works ? Tone::plain : Tone::faint}});
  print_table(table);
}

void print_text(const Diagnosis& diagnosis) {
  print_knobs("KNOB", diagnosis.knobs);
  const std::string cpu(to_string(diagnosis.capabilities.cpu));
  std::printf("\nWhat decides a job's share of the CPU here: %s\n\n", cpu.c_str());
  if (!diagnosis.places.empty()) {
    print_knobs("BESIDE", diagnosis.places);
    std::printf("\n");
  }
  print_devices(diagnosis.facts.devices);
  std::printf("\n");
  print_gates(diagnosis.gates);
}

void prove(Knob& knob, const Trial& trial) {
  constexpr std::chrono::seconds kLonger{1};
  auto measured = os::try_out(trial);
  // What surprises us is looked at twice: 200 ms on a busy machine may be chance.
  if (measured && contradicts(*measured, knob)) measured = os::try_out(trial, kLonger);
  if (measured) {
    confirm(knob, *measured);
  } else {
    refute(knob, measured.error());
  }
}

MachineFacts read_facts() {
  os::Permissions permissions = os::own_permissions();
  if (const auto manager = supervisor::scope_manager()) {
    permissions.manager = desktop::ServiceManager::group_of(manager->socket);
  }
  return os::read_machine_facts("", permissions);
}

}  // namespace

std::vector<std::string> paths_of_job(const JobSpec& spec, const std::string& home) {
  std::vector<std::string> paths{spec.directory.empty() ? home : spec.directory};
  if (spec.when.mounted) {
    const auto* mount = std::get_if<MountPoint>(&*spec.when.mounted);
    if (mount != nullptr) paths.push_back(mount->path);
  }
  paths.insert(paths.end(), spec.when.exists.begin(), spec.when.exists.end());
  if (spec.output) {
    paths.push_back(fixed_folder(spec.output->publish));
    if (!spec.output->keep.empty()) paths.push_back(fixed_folder(spec.output->keep));
  }
  return paths;
}

Diagnosis examine(MachineFacts facts, bool experiment) {
  Diagnosis diagnosis{std::move(facts), {}, {}, {}, {}};
  diagnosis.capabilities = lull::capabilities(diagnosis.facts);
  diagnosis.knobs = diagnose(diagnosis.facts);
  if (!experiment) return diagnosis;
  for (const Trial& trial : trials(diagnosis.facts)) {
    const auto knob = std::find_if(diagnosis.knobs.begin(), diagnosis.knobs.end(),
                                   [&](const Knob& each) { return each.name == trial.knob; });
    if (knob == diagnosis.knobs.end()) continue;
    prove(*knob, trial);
  }
  return diagnosis;
}

std::string diagnosis_json(const Diagnosis& diagnosis) {
  Json object{{"cpu", to_string(diagnosis.capabilities.cpu)}};
  object["knobs"] = Json::array();
  for (const Knob& knob : diagnosis.knobs)
    object["knobs"].push_back(json_of(knob, "knob"));
  object["beside"] = Json::array();
  for (const Knob& place : diagnosis.places)
    object["beside"].push_back(json_of(place, "place"));
  object["devices"] = Json::array();
  for (const BlockDevice& device : diagnosis.facts.devices)
    object["devices"].push_back(json_of(device));
  object["gates"] = Json::array();
  for (const GateSource& gate : diagnosis.gates)
    object["gates"].push_back(json_of(gate));
  return object.dump(2, ' ', false, Json::error_handler_t::replace);  // a path may be no UTF-8
}

int run_doctor(const InstanceOptions& instance, const DoctorOptions& options) {
  MachineFacts facts = read_facts();
  facts.devices = os::devices_below("", paths_that_matter(instance));
  Diagnosis diagnosis = examine(std::move(facts), !options.no_experiment);
  diagnosis.places = examine_places(diagnosis.facts, !options.no_experiment);
  diagnosis.gates = examine_gates();
  if (options.json) {
    std::printf("%s\n", diagnosis_json(diagnosis).c_str());
  } else {
    print_text(diagnosis);
  }
  return kDone;
}

}  // namespace lull::cli
