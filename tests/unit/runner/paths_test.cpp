#include "runner/os/paths.hpp"

#include "tests/support/catch.hpp"

#include <map>
#include <string>
#include <utility>

using namespace lull;
using namespace lull::os;

namespace {

using Variables = std::map<std::string, std::string>;

PathInputs inputs_of(std::uint32_t uid, Variables variables, PathOverrides overrides = {}) {
  PathInputs inputs;
  inputs.overrides = std::move(overrides);
  inputs.variable = [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  inputs.uid = uid;
  inputs.home = uid == 0 ? "/root" : "/home/ana";
  inputs.current_folder = "/here";
  inputs.is_own_folder = [](const std::string&) { return false; };
  return inputs;
}

InstancePaths paths_of(const PathInputs& inputs) { return instance_paths(inputs).value(); }

}  // namespace

TEST_CASE("instance_paths: the system instance has the system's folders") {
  const InstancePaths expected{true, "/etc/lull", "/var/lib/lull", "/var/log/lull", "/run/lull"};
  CHECK(paths_of(inputs_of(0, {})) == expected);
  CHECK(paths_of(inputs_of(0, {{"XDG_CONFIG_HOME", "/x"},
                               {"XDG_STATE_HOME", "/x"},
                               {"XDG_RUNTIME_DIR", "/run/user/1000"}})) == expected);
}

TEST_CASE("instance_paths: a user's instance has the XDG folders") {
  CHECK(paths_of(inputs_of(1000, {{"XDG_RUNTIME_DIR", "/run/user/1000"}})) ==
        InstancePaths{false, "/home/ana/.config/lull", "/home/ana/.local/state/lull",
                      "/home/ana/.local/state/lull/logs", "/run/user/1000/lull"});
  CHECK(paths_of(inputs_of(
            1000,
            {{"XDG_CONFIG_HOME", "/c/"}, {"XDG_STATE_HOME", "/s"}, {"XDG_RUNTIME_DIR", "/r"}})) ==
        InstancePaths{false, "/c/lull", "/s/lull", "/s/lull/logs", "/r/lull"});
}

TEST_CASE("instance_paths: empty and relative XDG variables count as unset") {
  CHECK(paths_of(inputs_of(
            1000,
            {{"XDG_CONFIG_HOME", ""}, {"XDG_STATE_HOME", "state"}, {"XDG_RUNTIME_DIR", "/r"}})) ==
        InstancePaths{false, "/home/ana/.config/lull", "/home/ana/.local/state/lull",
                      "/home/ana/.local/state/lull/logs", "/r/lull"});
}

TEST_CASE("instance_paths: without XDG_RUNTIME_DIR it is the login's folder or the state folder") {
  auto inputs = inputs_of(1000, {});
  CHECK(paths_of(inputs).runtime_dir == "/home/ana/.local/state/lull/run");
  inputs.is_own_folder = [](const std::string& path) { return path == "/run/user/1000"; };
  CHECK(paths_of(inputs).runtime_dir == "/run/user/1000/lull");
  inputs = inputs_of(1000, {{"LULL_STATE_DIR", "/s"}});
  CHECK(paths_of(inputs).runtime_dir == "/s/run");
}

TEST_CASE("instance_paths: the LULL variables override, and options override those") {
  const Variables variables{
      {"LULL_CONFIG_DIR", "/c/"}, {"LULL_STATE_DIR", "/s"}, {"LULL_RUNTIME_DIR", "/r"}};
  for (const std::uint32_t uid : {0U, 1000U}) {
    CHECK(paths_of(inputs_of(uid, variables)) ==
          InstancePaths{uid == 0, "/c", "/s", "/s/logs", "/r"});
    CHECK(paths_of(inputs_of(uid, variables, {"/oc", "os", "./or"})) ==
          InstancePaths{uid == 0, "/oc", "/here/os", "/here/os/logs", "/here/./or"});
  }
  CHECK(paths_of(inputs_of(0, {{"LULL_CONFIG_DIR", "/c"}})) ==
        InstancePaths{true, "/c", "/var/lib/lull", "/var/log/lull", "/run/lull"});
}

TEST_CASE("instance_paths: without a home everything must be named") {
  auto inputs = inputs_of(1000, {});
  inputs.home = "";
  CHECK(instance_paths(inputs).error().what() ==
        "the home folder is not known: set HOME, LULL_CONFIG_DIR or --config-dir");
  inputs = inputs_of(1000, {{"LULL_CONFIG_DIR", "/c"}});
  inputs.home = "";
  CHECK(instance_paths(inputs).error().what() ==
        "the home folder is not known: set HOME, LULL_STATE_DIR or --state-dir");
  inputs = inputs_of(1000, {}, {"/c", "/s", {}});
  inputs.home = "";
  CHECK(paths_of(inputs) == InstancePaths{false, "/c", "/s", "/s/logs", "/s/run"});
}

TEST_CASE("InstancePaths: names what lies in the folders") {
  const InstancePaths paths{false, "/c", "/s", "/s/logs", "/r"};
  CHECK(paths.settings_file() == "/c/lull.toml");
  CHECK(paths.jobs_dir() == "/c/jobs");
  CHECK(paths.database() == "/s/lull.db");
  CHECK(paths.runs_dir() == "/s/runs");
  CHECK(paths.socket() == "/r/control.sock");
}
