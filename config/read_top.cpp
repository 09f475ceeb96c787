#include "config/job_sections.hpp"

#include <algorithm>

namespace lull::config {
namespace {

constexpr std::string_view kCommandExample = R"(["restic", "backup", "/home/ana"])";

// What lull itself tells the job; a key of that name would be overwritten without a word.
constexpr std::array<std::string_view, 6> kReserved{"LULL_JOB",     "LULL_RUN",     "LULL_SLOT",
                                                    "LULL_TRIGGER", "LULL_ATTEMPT", "LULL_OUTPUT"};

std::optional<Script> read_script(const Value& value) {
  constexpr std::string_view kExample = R"("borg create … && borg prune …")";
  auto text = read_text(value, kExample);
  if (!text) return std::nullopt;
  if (text->find_first_not_of(" \t\r\n") != std::string::npos) return Script{std::move(*text)};
  value.wrong("is empty: write commands for /bin/sh, or use command");
  return std::nullopt;
}

/// Exactly one of the two; the job's own pushes a default aside.
void read_what(const Section& section, const Home& home, JobSpec& spec) {
  const bool own = section.own("command") || section.own("script");
  const auto command = own ? section.own("command") : section.get("command");
  const auto script = own ? section.own("script") : section.get("script");
  if (auto argv = read_program(command, kCommandExample, home)) {
    spec.what = Command{std::move(*argv)};
  }
  assign(spec.what, read_script(script));
  if (command && script && !script.inherited()) {
    const auto& second = command.at() < script.at() ? script : command;
    second.wrong("stands beside " + std::string(&second == &script ? "'command'" : "'script'") +
                 ", and a job has exactly one of them: remove one of the two");
  }
  if (!command && !script) {
    section.report().add_missing(
        {},
        R"(the job has no 'command' and no 'script': write for example command = ["restic", "backup", "/home/ana"])");
  }
}

bool check_variable(const Value& value, std::string_view name) {
  if (name.find('=') != std::string_view::npos) {
    // What is behind the '=' may be a secret, so the name is not shown.
    value.wrong(R"(has a name with '=' in it: write { NAME = "value" })");
    return false;
  }
  if (!is_variable_name(name)) {
    value.wrong(Error(quoted(name) +
                      " is no name of a variable: write letters, digits and '_', no digit first"));
    return false;
  }
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
    value.wrong(Error(quoted(name) + " is set by lull itself: write another name"));
    return false;
  }
  return true;
}

/// Adds the variables that the job does not have yet. Values are secrets: no message shows one.
void add_variables(const Value& value, JobSpec& spec) {
  if (!value) return;
  const auto* const table = value.node().as_table();
  if (table == nullptr) {
    return value.wrong_type(R"({ NAME = "value" })");
  }
  for (const auto& [key, node] : *table) {
    const auto element = value.element(node);
    if (!check_variable(element, key.str())) continue;
    if (!node.is_string()) {
      element.wrong(Error(quoted(key.str()) + " is no string: write its value in quotes"));
    } else if (auto text = read_text(element, R"("value")")) {
      spec.environment.try_emplace(std::string(key.str()), std::move(*text));
    }
  }
}

std::optional<std::vector<int>> read_exit_codes(const Value& value) {
  if (!value) return std::nullopt;
  const auto* const list = value.node().as_array();
  if (list == nullptr) {
    value.wrong_type("a list of exit codes, such as [0, 1]");
    return std::nullopt;
  }
  if (list->empty()) {
    value.wrong("is an empty list, so that no run could succeed: write for example [0]");
    return std::nullopt;
  }
  std::vector<int> codes;
  for (const auto& node : *list) {
    if (const auto code = read_whole(value.element(node), 0, 255)) codes.push_back(*code);
  }
  return codes;
}

/// The instance's own user is as good as no user at all, in either instance.
std::optional<std::string> read_user(const Value& value, const JobContext& context) {
  auto user = read_line(value, R"("ana")");
  if (!user) return std::nullopt;
  if (user->empty() || user->find_first_of(":/ ") != std::string::npos) {
    value.wrong(Error(quoted(*user) + " is no user's name: write one such as \"ana\""));
    return std::nullopt;
  }
  if (*user == context.user) return std::string();
  if (context.system_instance) return user;
  value.wrong("is " + quoted(*user) +
              ", and only the system instance may run jobs as another user: remove it, or put the "
              "job into /etc/lull/jobs");
  return std::nullopt;
}

}  // namespace

void read_top(const Section& section, JobReading& reading, JobSpec& spec) {
  assign(spec.user, read_user(section.get("user"), reading.context));
  // `~` is the home of the user who runs the job, known here only for the instance's own.
  reading.home = {reading.context.home, spec.user.empty()};
  assign(spec.description, read_line(section.get("description"), R"("Documents to the NAS")"));
  read_what(section, reading.home, spec);
  assign(spec.directory, read_path(section.get("directory"), reading.home));
  const auto environment = section.get("environment");
  add_variables(environment, spec);
  if (environment && !environment.inherited()) add_variables(section.fallback("environment"), spec);
  assign(spec.environment_file, read_path(section.get("environment_file"), reading.home));
  assign(spec.success_exit_codes, read_exit_codes(section.get("success_exit_codes")));
  assign(spec.pass_environment,
         read_names(section.get("pass_environment"),
                    {is_variable_name, "a name of a variable",
                     "letters, digits and '_', no digit first", R"(["SSH_AUTH_SOCK"])"}));
  assign(spec.enabled, read_flag(section.get("enabled")));
}

}  // namespace lull::config
