#include "runner/supervisor/load.hpp"

#include "runner/os/account.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

using namespace lull;
using namespace lull::supervisor;
using lull::tests::TempFolder;

namespace {

/// An instance with a config folder of its own.
struct Instance {
  TempFolder folder;
  os::InstancePaths paths{::getuid() == 0, std::filesystem::canonical(folder.path()), {}, {}, {}};

  void write(const std::string& name, const std::string& text) const {
    ::chmod(folder.write(name, text).c_str(), 0644);
  }
  [[nodiscard]] Loaded loaded() const { return load(paths, os::own_account().value()); }
  [[nodiscard]] LoadedJob job(const std::string& path) const {
    return load_job(path, paths, os::own_account().value());
  }
};

}  // namespace

TEST_CASE("load: an instance without any file has the built-in settings and no jobs") {
  const Instance instance;
  const auto loaded = instance.loaded();
  CHECK(loaded.settings.max_concurrent == 4);
  CHECK(loaded.settings_usable);
  CHECK(loaded.jobs.empty());
  CHECK(loaded.diagnostics.empty());
}

TEST_CASE("load: jobs that wait for each other, or for none, are errors that name them") {
  const Instance instance;
  const std::string command = "command = ['true']\n[when]\n";
  instance.write("jobs/a.toml", command + "after = ['b']\n");
  instance.write("jobs/b.toml", command + "power = 'ac'\nafter = ['a', 'c']\n");
  instance.write("jobs/c.toml", "command = ['true']\n");
  instance.write("jobs/d.toml", command + "after = ['a', 'bakcup']\n");
  instance.write("jobs/e.toml", command + "after = ['a']\n");
  const auto loaded = instance.loaded();
  REQUIRE(loaded.jobs.size() == 5);
  REQUIRE(loaded.diagnostics.size() == 3);
  const auto jobs = instance.paths.jobs_dir();
  CHECK(to_string(loaded.diagnostics[0]) ==
        jobs +
            "/a.toml:3:9: error: 'when.after' leads back to the job itself, which would wait for "
            "ever (a after b after a): remove one of the names");
  CHECK_THAT(to_string(loaded.diagnostics[1]),
             ContainsSubstring("/b.toml:4:9: ") && ContainsSubstring("(b after a after b)"));
  CHECK_THAT(to_string(loaded.diagnostics[2]),
             ContainsSubstring("/d.toml:3:9: ") &&
                 ContainsSubstring("names \"bakcup\", and there is no such job"));
  CHECK_FALSE(loaded.jobs[0].spec);
  CHECK_FALSE(loaded.jobs[1].spec);
  CHECK(loaded.jobs[2].spec);
  CHECK_FALSE(loaded.jobs[3].spec);
  CHECK(loaded.jobs[4].spec);  // it waits for one that is broken now and need not stay so
}

TEST_CASE("load: one bad file stops no other") {
  const Instance instance;
  instance.write("lull.toml", "max_concurrent = 2\n[defaults.limits]\nretries = 7\n");
  instance.write("jobs/a-good.toml", "command = ['true']\n");
  instance.write("jobs/b-bad.toml", "command = 3\n");
  instance.write("jobs/c-others.toml", "command = ['true']\n");
  ::chmod(instance.folder.path("jobs/c-others.toml").c_str(), 0666);
  instance.write("jobs/Bad Name.toml", "command = ['true']\n");
  instance.write("jobs/.hidden.toml", "?");
  instance.write("jobs/editor.toml~", "?");
  const auto loaded = instance.loaded();
  CHECK(loaded.settings.max_concurrent == 2);
  REQUIRE(loaded.jobs.size() == 3);
  CHECK(loaded.jobs[0].name == "a-good");
  REQUIRE(loaded.jobs[0].spec);
  CHECK(loaded.jobs[0].spec->limits.retries == 7);
  CHECK(loaded.jobs[0].fingerprint.size == 19);
  CHECK(loaded.jobs[1].name == "b-bad");
  CHECK_FALSE(loaded.jobs[1].spec);
  CHECK(loaded.jobs[1].diagnostics.size() == 1);
  CHECK_FALSE(loaded.jobs[2].spec);
  REQUIRE(loaded.diagnostics.size() == 3);
  const auto jobs = instance.paths.jobs_dir();
  CHECK_THAT(to_string(loaded.diagnostics[0]),
             ContainsSubstring(jobs + "/Bad Name.toml:1:1: error: the file's name makes no job's"));
  CHECK(to_string(loaded.diagnostics[1]) ==
        jobs +
            "/b-bad.toml:1:11: error: 'command' is a bare number: write a list, such as "
            "[\"restic\", \"backup\", \"/home/ana\"]");
  CHECK_THAT(to_string(loaded.diagnostics[2]), ContainsSubstring("is writable by others"));
}

TEST_CASE("load: jobs run without settings that cannot be read, except as root") {
  const Instance instance;
  instance.write("lull.toml", "[defaults]\nuser = nobody\n");
  instance.write("jobs/a.toml", "command = ['true']\n");
  auto paths = instance.paths;
  const auto self = os::own_account().value();
  paths.system_instance = false;
  const auto users = load(paths, self);
  CHECK_FALSE(users.settings_usable);
  CHECK(users.diagnostics.size() == 1);
  REQUIRE(users.jobs.size() == 1);
  CHECK(users.jobs[0].spec);
  paths.system_instance = true;
  const auto systems = load(paths, self);
  CHECK(systems.diagnostics.size() == 1);
  CHECK_FALSE(systems.jobs.at(0).spec);
  CHECK_FALSE(systems.jobs.at(0).diagnostics.empty());
}

TEST_CASE("load: settings that others could write are not believed") {
  const Instance instance;
  instance.write("lull.toml", "max_concurrent = 2\n");
  ::chmod(instance.folder.path("lull.toml").c_str(), 0666);
  const auto loaded = instance.loaded();
  CHECK(loaded.settings.max_concurrent == 4);
  CHECK_FALSE(loaded.settings_usable);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK_THAT(loaded.diagnostics[0].message, ContainsSubstring("is writable by others"));
}

TEST_CASE("load: no job of the system instance gets more than the ceiling") {
  const Instance instance;
  instance.write("lull.toml", "[ceiling]\nnice = 10\nio = 'best-effort:6'\n");
  instance.write("jobs/a.toml", "command = ['true']\n");
  auto paths = instance.paths;
  paths.system_instance = true;
  const auto loaded = load(paths, os::own_account().value());
  REQUIRE(loaded.jobs.at(0).spec);
  const auto& priority = loaded.jobs[0].spec->priority;
  CHECK(priority.levels.idle == Level{10, {IoClass::best_effort, 6}});
  REQUIRE(priority.asked);
  CHECK(*priority.asked == levels_of(Policy::throttle));
}

TEST_CASE("load_job: takes a file from anywhere, under the instance's defaults") {
  const Instance instance;
  instance.write("lull.toml", "[defaults.limits]\nretries = 7\n");
  instance.write("elsewhere/now.toml", "command = ['true']\n");
  instance.write("elsewhere/Now.toml", "command = ['true']\n");
  const auto job = instance.job(instance.paths.config_dir + "/elsewhere/now.toml");
  CHECK(job.name == "now");
  REQUIRE(job.spec);
  CHECK(job.spec->limits.retries == 7);
  const auto relative = std::filesystem::proximate(instance.paths.config_dir).string();
  CHECK(instance.job(relative + "/elsewhere/now.toml").spec);
  CHECK_FALSE(instance.job(instance.paths.config_dir + "/elsewhere/Now.toml").spec);
  CHECK_THAT(instance.job(instance.paths.config_dir + "/none.toml").diagnostics.at(0).message,
             ContainsSubstring("No such file or directory"));
}
