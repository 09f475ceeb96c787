#include "runner/supervisor/launcher.hpp"

#include "runner/desktop/service_manager.hpp"
#include "runner/os/account.hpp"
#include "runner/os/machine_facts.hpp"
#include "runner/os/read_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

namespace lull::supervisor {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// The autogroup's nice value where the kernel took it only after a while.
std::optional<int> late_autogroup(std::span<const keeper::Report> reports) {
  std::optional<int> nice;
  for (const keeper::Report& report : reports) {
    if (report.kind == keeper::Report::Kind::autogroup_set) nice = report.autogroup_nice;
  }
  return nice;
}

std::string cgroup_name(const RunRecord& run) { return run.job + "." + std::to_string(run.id); }

/// A unit's name has 255 bytes, and what may not stand there takes four.
std::string scope_prefix(const RunRecord& run) {
  constexpr std::size_t kMost = 50;
  return "lull-" + desktop::escape_for_unit(run.job.substr(0, kMost)) + "." +
         std::to_string(run.id);
}

std::string group_name(const std::string& prefix, pid_t keeper) {
  return prefix + "." + std::to_string(keeper);
}

/// The settings as the kernel gives them back; a group that is gone already has none.
void add_setting(Applied& applied, const std::string& folder, const std::string& file) {
  const auto text = os::read_file(folder + "/" + file);
  if (text) applied.emplace_back(file, text->substr(0, text->find('\n')));
}

void add_cgroup(Applied& applied, const CgroupPlacement& placement, const std::string& name) {
  const std::string folder = placement.parent + "/" + name;
  applied.emplace_back(placement.knob, folder);
  for (const auto& [file, wanted] : placement.settings)
    add_setting(applied, folder, file);
}

void add_scope(Applied& applied, const Launched& launched, pid_t process) {
  if (!launched.scope_failed.empty()) applied.emplace_back("scope.failed", launched.scope_failed);
  for (const std::string& folder : os::groups_called(launched.scope_name(), process)) {
    applied.emplace_back("cgroup", folder);
    for (const char* file : {"cpu.weight", "cpu.idle", "io.weight", "memory.high"})
      add_setting(applied, folder, file);
  }
}

void add_failed_knobs(Applied& applied, std::span<const keeper::Report> reports) {
  const bool autogroup_came_late = late_autogroup(reports).has_value();
  for (const keeper::Report& report : reports) {
    if (report.kind != keeper::Report::Kind::knob_failed) continue;
    if (report.stage == keeper::Stage::autogroup && autogroup_came_late) continue;
    applied.emplace_back(std::string(stage_name(report.stage)) + ".failed", reason(report.error));
  }
}

}  // namespace

Result<Launcher> Launcher::make(const os::RunFiles& run_files, std::string log_folder) {
  const auto own = os::own_program();
  if (!own) return own.error();
  auto program = os::KeeperProgram::find(*own);
  if (!program) return program.error();
  Launcher launcher(run_files, std::move(*program));
  launcher.probe();
  launcher.files_ = os::raise_file_limit();
  launcher.environment_ = os::own_environment();
  auto self = os::own_account();
  if (!self) return self.error();
  launcher.self_ = std::move(*self);
  const auto boot = os::boot_id();
  if (!boot) return boot.error();
  launcher.boot_id_ = *boot;
  launcher.log_folder_ = std::move(log_folder);
  return launcher;
}

void Launcher::probe() {
  cgroups_ = os::CgroupParents::make();
  MachineFacts facts = os::read_machine_facts("", os::own_permissions());
  can_ = capabilities(facts);
  facts.scopes = true;
  can_in_scope_ = capabilities(facts);
  probed_ = steady_now();
}

/// It takes about a millisecond: too much for each of a thousand runs that start at once.
void Launcher::look_again() {
  if (steady_now() - probed_ >= std::chrono::seconds(10)) probe();
}

Result<SpawnContext> Launcher::context_of(const JobSpec& spec, const LaunchOptions& options) const {
  SpawnContext context;
  context.base = environment_;
  context.self = self_;
  context.scope = options.scope;
  if (!options.scope) {
    context.cgroups = cgroups_.placements(level_at_start(spec, options.state),
                                          spec.priority.levels.adapts, spec.limits.memory);
  }
  context.can = options.scope ? can_in_scope_ : can_;
  context.state = options.state;
  if (!spec.user.empty()) {
    auto user = os::find_account(spec.user);
    if (!user) return user.error().within("user");
    context.user = std::move(*user);
  }
  if (!spec.environment_file.empty()) {
    const Account& reader = context.user ? *context.user : self_;
    const auto text = os::read_file_as(reader, spec.environment_file);
    if (!text) return text.error().within("environment_file");
    auto file = parse_environment_file(*text);
    if (!file) return file.error().within("environment_file " + spec.environment_file);
    context.file = std::move(*file);
  }
  const std::string& zone = spec.schedule ? spec.schedule->timezone : std::string();
  const auto own_zone = zone.empty() ? Result<Zone>(os::machine_zone()) : Zone::find(zone);
  if (own_zone) context.zone = *own_zone;
  return context;
}

Result<Launched> Launcher::launch(const JobSpec& spec, const RunRecord& run,
                                  const LaunchOptions& options) const {
  auto context = context_of(spec, options);
  if (!context) return context.error();
  Launched launched;
  launched.plan = make_spawn_plan(spec, run, *context);
  launched.plan.stdio = options.stdio;
  launched.plan.stop_with_supervisor = options.stop_with_supervisor;
  if (options.stdio == Stdio::log) {
    const std::string name = options.log_name.empty() ? std::to_string(run.id) : options.log_name;
    launched.log = log_folder_ + "/" + run.job + "/" + name + ".log";
  }
  launched.cgroup_name = options.scope ? scope_prefix(run) : cgroup_name(run);
  const os::RunPlace place{.run_file = run_files_->path(run.id),
                           .log = launched.log,
                           .cgroup_name = launched.cgroup_name,
                           .scope_mount = options.scope ? options.scope->mount : "",
                           .boot_id = boot_id_,
                           .files_soft = files_.soft,
                           .files_hard = files_.hard,
                           .supervisor = ::getpid()};
  auto keeper = program_.start(encode_keeper_plan(launched.plan, place), options.descriptors,
                               options.scope.has_value());
  if (!keeper) return keeper.error();
  launched.go = std::move(keeper->go);
  launched.keeper = std::move(*keeper);
  return launched;
}

DrivenRun Launcher::driven(const JobSpec& spec, const RunRecord& run, os::ProcessIdentity keeper,
                           pid_t main, Foreground state) const {
  DrivenRun driven;
  driven.key = static_cast<RunKey>(run.id);
  driven.level = level_at_start(spec, state);
  driven.state = state_at_start(spec, state);
  driven.priority = spec.priority;
  // Asked of the job, since whoever started it may have been in other groups than we are.
  driven.processes.cgroups = os::groups_called(group_name(cgroup_name(run), keeper.pid), main);
  driven.can = can_;
  if (driven.processes.cgroups.empty()) {
    driven.processes.cgroups =
        os::groups_called(group_name(scope_prefix(run), keeper.pid) + ".scope", main);
    if (!driven.processes.cgroups.empty()) driven.can = can_in_scope_;
  }
  driven.processes.keeper = std::move(keeper);
  driven.processes.main = main;
  return driven;
}

std::string Launched::scope_name() const { return group_name(cgroup_name, keeper.pid) + ".scope"; }

Applied describe_applied(const Launched& launched, std::span<const keeper::Report> reports) {
  Applied applied;
  for (const keeper::Report& report : reports) {
    if (report.kind != keeper::Report::Kind::applied) continue;
    applied.emplace_back("nice", std::to_string(report.nice));
    applied.emplace_back("io", to_string(os::io_priority_of(report.io_priority)));
    if (report.autogroup_nice != keeper::Report::kNoAutogroup) {
      applied.emplace_back("autogroup",
                           std::to_string(late_autogroup(reports).value_or(report.autogroup_nice)));
    }
    for (std::size_t i = 0; i < launched.plan.cgroups.size(); ++i) {
      if (((report.cgroups >> i) & 1U) == 0) continue;
      const CgroupPlacement& placement = launched.plan.cgroups[i];
      add_cgroup(applied, placement, group_name(launched.cgroup_name, launched.keeper.pid));
    }
    if (launched.plan.scope) add_scope(applied, launched, report.pid);
  }
  add_failed_knobs(applied, reports);
  return applied;
}

bool awaits_autogroup(std::span<const keeper::Report> reports) {
  return !late_autogroup(reports) &&
         std::any_of(reports.begin(), reports.end(), [](const keeper::Report& report) {
           return report.stage == keeper::Stage::autogroup && report.error == EAGAIN;
         });
}

std::string describe_failure(const Launched& launched, const keeper::Report& report) {
  std::string text = std::string(stage_name(report.stage)) + ": " + reason(report.error);
  if (report.stage == keeper::Stage::exec) text += " (" + launched.plan.argv.front() + ")";
  if (report.stage == keeper::Stage::directory) text += " (" + launched.plan.directory + ")";
  return text;
}

}  // namespace lull::supervisor
