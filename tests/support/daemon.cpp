#include "tests/support/daemon.hpp"

#include "runner/os/machine.hpp"
#include "runner/os/read_file.hpp"
#include "runner/store/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/one_run.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <stdexcept>

namespace lull::tests {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> with_own(std::vector<std::string> environment) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string own = *entry;
    if (own.rfind("LULL_", 0) != 0) environment.push_back(own);
  }
  return environment;
}

}  // namespace

Child::Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables = with_own(environment);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, files_.path("out").c_str(), kCreate, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, files_.path("err").c_str(), kCreate, 0600);
  const int failed = ::posix_spawnp(&pid_, argv.front().c_str(), &actions, nullptr,
                                    pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot run " + argv.front());
}

Child::~Child() {
  if (ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

std::string Child::out() const { return slurp(files_.path("out")); }
std::string Child::err() const { return slurp(files_.path("err")); }

bool Child::ended() {
  if (!reaped_) reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return reaped_;
}

Finished Child::wait() {
  if (!eventually([this] { return ended(); })) return {-1, out(), err() + "\n(did not end)"};
  const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {code, out(), err()};
}

std::string lull_program() {
  const std::string own = probe();
  return own.substr(0, own.rfind('/')) + "/lull";
}

Instance::Instance() { settings(""); }

Instance::~Instance() {
  if (!daemon_) return;
  // So that no job outlives its test: the next daemon adopts what runs and stops it.
  end_daemon(SIGKILL);
  start_daemon({"--stop-jobs"});
  end_daemon(SIGTERM);
}

void Instance::job(const std::string& name, const std::string& text) const {
  folder_.write("config/jobs/" + name + ".toml", text);
}

// What tests a priority says so in its job file. Any other job would starve where the machine has
// more to do, as it should, and its test would wait in vain.
void Instance::was_off(const std::vector<std::string>& jobs, Duration since) const {
  REQUIRE(os::make_folders(path("state"), 0700).has_value());
  const TimePoint then = os::now() - since;
  auto store = store::Store::open(path("state") + "/lull.db").value();
  store.clocks(jobs, store::JobClock{{then, Duration(0)}, {then, Duration(0)}, ""});
}

void Instance::settings(const std::string& text) const {
  folder_.write("config/lull.toml", text + "[defaults.priority]\npolicy = \"important\"\n");
}

std::vector<std::string> Instance::environment() const {
  return {"LULL_CONFIG_DIR=" + path("config"), "LULL_STATE_DIR=" + path("state"),
          "LULL_RUNTIME_DIR=" + path("run"), "TZ=UTC"};
}

Finished Instance::lull(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{lull_program()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Child(argv, environment()).wait();
}

nlohmann::json Instance::json(std::vector<std::string> arguments) const {
  arguments.emplace_back("--json");
  const Finished finished = lull(arguments);
  if (finished.exit_code != 0) throw std::runtime_error(finished.err);
  return nlohmann::json::parse(finished.out);
}

void Instance::start_daemon(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{lull_program(), "daemon"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  daemon_ = std::make_unique<Child>(argv, environment());
  const bool answers =
      eventually([this] { return daemon_->ended() || lull({"status"}).exit_code == 0; });
  if (!answers || daemon_->ended()) throw std::runtime_error("no daemon: " + daemon_->err());
}

int Instance::end_daemon(int signal) {
  ::kill(daemon_->pid(), signal);
  return daemon_->wait().exit_code;
}

nlohmann::json Instance::status(const std::string& job) const {
  return json({"status", job}).at(0);
}

nlohmann::json Instance::history(const std::string& job) const {
  return job.empty() ? json({"history"}) : json({"history", job});
}

nlohmann::json Instance::ended_runs(const std::string& job, std::size_t count) const {
  nlohmann::json runs;
  REQUIRE(eventually([&] {
    runs = history(job);
    std::size_t ended = 0;
    for (const auto& run : runs)
      ended += run["outcome"].is_null() ? 0U : 1U;
    return ended >= count;
  }));
  return runs;
}

}  // namespace lull::tests
