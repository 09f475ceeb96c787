#include "jobs/spawn_plan.hpp"

#include "jobs/decide.hpp"
#include "jobs/rfc3339.hpp"

#include <algorithm>

namespace lull {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr std::string_view kRootPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Level level_of(const LevelTable& levels, Foreground state) {
  return std::get<Level>(what_at(levels, state));
}

/// Less than the file asks for must never come silently.
std::string reason_at_start(const PrioritySpec& priority, Foreground state) {
  std::string reason = "at start";
  if (state != Foreground::light) {
    reason.append(", the foreground being ").append(to_string(state));
  }
  if (!priority.asked) return reason;
  const Level asked = level_of(*priority.asked, state);
  if (asked == level_of(priority.levels, state)) return reason;
  return reason + ", held down by [ceiling] from " + to_string(asked);
}

void copy_if_set(const Environment& from, std::string_view name, Environment& to) {
  if (const auto found = from.find(name); found != from.end()) to.insert(*found);
}

std::vector<std::string> command_line(const JobSpec& spec) {
  if (const auto* command = std::get_if<Command>(&spec.what)) return command->argv;
  return {"/bin/sh", "-eu", "-c", std::get<Script>(spec.what).text};
}

void add_run(Environment& environment, const RunRecord& run, const Zone& zone) {
  const TimePoint slot = run.trigger == Trigger::manual && run.started ? *run.started : run.slot;
  environment["LULL_JOB"] = run.job;
  environment["LULL_RUN"] = std::to_string(run.id);
  environment["LULL_SLOT"] = format_rfc3339(slot, zone);
  environment["LULL_TRIGGER"] = to_string(run.trigger);
  environment["LULL_ATTEMPT"] = std::to_string(run.attempt);
}

/// Later sources win: base, passed on, file, the job's own keys, the run.
Environment job_environment(const JobSpec& spec, const RunRecord& run,
                            const SpawnContext& context) {
  const bool other_user = context.user && context.user->uid != context.self.uid;
  Environment environment =
      base_environment(context.base, other_user ? *context.user : context.self, other_user);
  for (const std::string& name : spec.pass_environment) {
    if (const auto own = context.base.find(name); own != context.base.end()) {
      environment.insert_or_assign(own->first, own->second);
    }
  }
  for (const auto& [name, value] : context.file)
    environment.insert_or_assign(name, value);
  for (const auto& [name, value] : spec.environment)
    environment.insert_or_assign(name, value);
  add_run(environment, run, context.zone);
  return environment;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

std::string_view unquote(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == value.back() &&
                      (value.front() == '"' || value.front() == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// Adds one line of an environment file; false when it is none.
bool add_line(std::string_view line, Environment& environment) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return true;
  constexpr std::string_view kExport = "export ";
  if (line.substr(0, kExport.size()) == kExport) line = trim(line.substr(kExport.size()));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = trim(line.substr(0, equals));
  if (!is_variable_name(name) || line.find('\0') != std::string_view::npos) return false;
  environment.insert_or_assign(std::string(name),
                               std::string(unquote(trim(line.substr(equals + 1)))));
  return true;
}

}  // namespace

Environment base_environment(const Environment& own, const Account& account, bool other_user) {
  Environment base{{"HOME", account.home},
                   {"LOGNAME", account.name},
                   {"PATH", std::string(account.uid == 0 ? kRootPath : kDefaultPath)},
                   {"SHELL", account.shell},
                   {"USER", account.name}};
  copy_if_set(own, "LANG", base);
  copy_if_set(own, "TZ", base);
  if (other_user) return base;  // PATH and the session are the supervisor's own
  copy_if_set(own, "XDG_RUNTIME_DIR", base);
  copy_if_set(own, "DBUS_SESSION_BUS_ADDRESS", base);
  if (const auto path = own.find("PATH"); path != own.end()) base["PATH"] = path->second;
  return base;
}

std::vector<std::string> search_path(std::string_view program, std::string_view path) {
  if (program.find('/') != std::string_view::npos) return {std::string(program)};
  std::vector<std::string> programs;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    if (!folder.empty() && folder.front() == '/') {  // never the current directory
      programs.push_back(std::string(folder) + "/" + std::string(program));
    }
    path.remove_prefix(colon == std::string_view::npos ? path.size() : colon + 1);
  }
  return programs;
}

Foreground state_at_start(const JobSpec& spec, Foreground now) {
  return spec.priority.levels.adapts ? std::min(now, Foreground::busy) : Foreground::light;
}

Level level_at_start(const JobSpec& spec, Foreground now) {
  return level_of(spec.priority.levels, state_at_start(spec, now));
}

SpawnPlan make_spawn_plan(const JobSpec& spec, const RunRecord& run, const SpawnContext& context) {
  SpawnPlan plan;
  plan.argv = command_line(spec);
  const Environment environment = job_environment(spec, run, context);
  const auto path = environment.find("PATH");
  plan.programs = search_path(plan.argv.front(), path == environment.end() ? "" : path->second);
  for (const auto& [name, value] : environment)
    plan.environment.emplace_back(name).append("=").append(value);
  const bool other_user = context.user && context.user->uid != context.self.uid;
  plan.directory = !spec.directory.empty() ? spec.directory
                   : other_user            ? context.user->home
                                           : context.self.home;
  plan.directory_is_default = spec.directory.empty();
  plan.state = state_at_start(spec, context.state);
  plan.level = level_at_start(spec, context.state);
  plan.nice = nice_at_start(spec.priority.levels, plan.level, context.can);
  plan.level_reason = reason_at_start(spec.priority, plan.state);
  if (other_user) plan.become = context.user;
  plan.cgroups = context.cgroups;
  plan.scope = context.scope;
  plan.success_exit_codes = spec.success_exit_codes;
  plan.stop_timeout = spec.limits.stop_timeout;
  plan.timeout = spec.limits.timeout;
  plan.log_size = spec.limits.log_size;
  return plan;
}

Result<Environment> parse_environment_file(std::string_view text) {
  Environment environment;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    if (!add_line(text.substr(0, end), environment)) {
      return Error("line " + std::to_string(number) + " is not NAME=VALUE");
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return environment;
}

}  // namespace lull
