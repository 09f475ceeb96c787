// `lull run`, the drop-in for `nice ionice CMD`.
#include "runner/os/instance_lock.hpp"
#include "runner/os/process.hpp"
#include "runner/os/pty.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/levels.hpp"
#include "tests/support/one_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>

using namespace lull;
using namespace lull::tests;
using nlohmann::json;

namespace {

/// `lull run` as a person has it: on a terminal, in a session of its own.
class OnTerminal {
 public:
  /// stdout goes to `file` instead where one is named.
  OnTerminal(const Instance& instance, const std::vector<std::string>& command,
             const std::string& file = "") {
    pty_ = os::open_pty(-1).value();
    const winsize size{.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(pty_.master.get(), TIOCSWINSZ, &size);
    std::vector<std::string> argv{lull_program(), "run", "--policy", "important", "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    pid_ = ::fork();
    if (pid_ == 0) become_command(instance, argv, file);
    pty_.slave.reset();
  }
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;
  ~OnTerminal() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void type(std::string_view keys) const {
    (void)!::write(pty_.master.get(), keys.data(), keys.size());
  }

  /// Reads until the screen has shown `text`.
  bool shows(const std::string& text) {
    return eventually([&] {
      read_some();
      return screen_.find(text) != std::string::npos;
    });
  }

  /// Waits for a stop (WUNTRACED) or the end.
  int wait_status() {
    int status = 0;
    eventually([&] {
      read_some();
      return ::waitpid(pid_, &status, WNOHANG | WUNTRACED) == pid_;
    });
    return status;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void become_command(const Instance& instance, std::vector<std::string>& argv,
                      const std::string& file) const {
    ::setsid();
    for (int fd = 0; fd < 3; ++fd)
      ::dup2(pty_.slave.get(), fd);
    if (!file.empty()) ::dup2(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), 1);
    ::ioctl(0, TIOCSCTTY, 0);
    for (std::string& variable : instance.environment())
      ::putenv(::strdup(variable.c_str()));
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (std::string& argument : argv)
      pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    ::execv(pointers.front(), pointers.data());
    ::_exit(127);
  }

  void read_some() {
    pollfd ready{pty_.master.get(), POLLIN, 0};
    std::array<char, 4096> buffer{};
    while (::poll(&ready, 1, 0) == 1) {
      const ssize_t size = ::read(pty_.master.get(), buffer.data(), buffer.size());
      if (size <= 0) return;
      screen_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  os::Pty pty_;
  pid_t pid_ = 0;
  std::string screen_;
};

}  // namespace

TEST_CASE("run: exits as the command did") {
  const Instance instance;
  const auto [command, exit_code] = GENERATE(table<std::vector<std::string>, int>({
      {{"true"}, 0},
      {{"sh", "-c", "exit 42"}, 42},
      {{"sh", "-c", "kill -TERM $$"}, 128 + SIGTERM},
      {{"/no/such/program"}, 127},
      {{"no-such-program-anywhere"}, 127},
      {{"/etc/passwd"}, 126},
  }));
  std::vector<std::string> arguments{"run", "--"};
  arguments.insert(arguments.end(), command.begin(), command.end());
  INFO(command.front());
  CHECK(instance.lull(arguments).exit_code == exit_code);
}

TEST_CASE("run: stdio, environment, folder and descriptors pass through") {
  const Instance instance;
  const Finished finished = instance.lull(
      {"run", "--", "sh", "-c", "echo out; echo err >&2; pwd; echo $LULL_RUNTIME_DIR; cat"});
  CHECK(finished.exit_code == 0);
  CHECK(finished.err == "err\n");
  CHECK(finished.out ==
        "out\n" + std::filesystem::current_path().string() + "\n" + instance.path("run") + "\n");
  const Finished substituted =
      Child({"bash", "-c", lull_program() + " run -- cat <(echo passed)"}, instance.environment())
          .wait();
  CHECK(substituted.out == "passed\n");
}

TEST_CASE("run: has the policy's priority and is in the history as manual") {
  const Instance instance;
  const Finished finished = instance.lull({"run", "--policy", "utility", "--", probe(), "self"});
  const auto self = parse_output(finished.out);
  const std::string nice = std::to_string(light_nice_here(Policy::utility));
  CHECK(self.find("nice")->second == nice);
  const json run = instance.history().at(0);
  CHECK(run["job"] == "run:lull-probe");
  CHECK(run["trigger"] == "manual");
  CHECK(run["outcome"] == "success");
  CHECK(run["levels"][0]["applied"]["nice"] == nice);
  CHECK(instance.lull({"run", "--policy", "fastest", "--", "true"}).exit_code == 2);
  CHECK(instance.lull({"run"}).exit_code == 2);
}

TEST_CASE("run --job: runs one file without a supervisor") {
  const Instance instance;
  instance.job("hello",
               "script = \"echo hello $LULL_JOB $GREETED\"\nenvironment = { GREETED = \"you\" }\n");
  const Finished finished =
      instance.lull({"run", "--job", instance.path("config/jobs/hello.toml")});
  CHECK(finished.exit_code == 0);
  CHECK(finished.out == "hello hello you\n");
  CHECK(instance.history("hello").size() == 1);
  instance.job("bad", "scripd = \"true\"\n");
  CHECK(instance.lull({"run", "--job", instance.path("config/jobs/bad.toml")}).exit_code == 2);
  // The file has a policy of its own: two of them are one too many.
  const Finished both = instance.lull(
      {"run", "--policy", "utility", "--job", instance.path("config/jobs/hello.toml")});
  CHECK(both.exit_code == 2);
  CHECK_THAT(both.err, ContainsSubstring("--policy"));
}

TEST_CASE("run: a command that is killed with it leaves nothing running") {
  const Instance instance;
  const int signal = GENERATE(SIGTERM, SIGKILL);
  Child run({lull_program(), "run", "--policy", "important", "--", probe(), "stay"},
            instance.environment());
  REQUIRE(eventually([&] { return run.out().find("\npid ") != std::string::npos; }));
  const pid_t job = std::stoi(parse_output(run.out()).find("pid")->second);
  ::kill(run.pid(), signal);
  CHECK(run.wait().exit_code == 128 + signal);
  CHECK(eventually([&] { return !is_alive(job); }));
}

TEST_CASE("run: on a terminal the command has one of its own, with the same size") {
  const Instance instance;
  OnTerminal run(instance, {"sh", "-c", "test -t 0 && test -t 1 && stty size && tty"});
  CHECK(run.shows("33 77"));
  const int status = run.wait_status();
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("run: with its output in a file, a terminal gets the errors and no file does") {
  const Instance instance;
  const std::string file = instance.path("out");
  OnTerminal run(instance, {"sh", "-c", "echo to the file; echo to the screen >&2; exit 4"}, file);
  CHECK(run.shows("to the screen"));
  const int status = run.wait_status();
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 4));
  CHECK(slurp(file) == "to the file\n");
}

TEST_CASE("run: a terminal that takes no output holds up the command, and not lull run") {
  const Instance instance;
  OnTerminal run(instance, {probe(), "print", "1000000"});
  const auto account = [&] { return slurp("/proc/" + std::to_string(run.pid()) + "/io"); };
  REQUIRE(eventually([&] { return os::children_of(run.pid()).size() == 1; }));
  REQUIRE(eventually([&] {  // nobody reads the screen, so it fills up
    const std::string before = account();
    ::usleep(100'000);
    return account() == before;
  }));
  const std::vector<pid_t> keepers = os::children_of(run.pid());
  ::kill(run.pid(), SIGTERM);
  CHECK(eventually([&] { return keepers.empty() || !is_alive(keepers.front()); }));
  // Nobody else's job may depend on a loop that waits for a terminal.
  CHECK(eventually([&] {
    const auto lock = instance.path("run") + "/loop.lock";
    return os::take_instance_lock(lock, std::chrono::milliseconds(0)).has_value();
  }));
  CHECK(run.shows("xxxx"));
}

TEST_CASE("run: in a job of lull's it goes with that job and leads no loop") {
  const Instance instance;
  Child outer(
      {lull_program(), "run", "-v", "--", lull_program(), "run", "-v", "--", probe(), "spin", "1"},
      instance.environment());
  REQUIRE(eventually([&] {
    const auto keepers = os::children_of(outer.pid());
    const pid_t inner = keepers.empty() ? 0 : os::main_child_of(keepers.front());
    const auto inner_keepers = inner == 0 ? std::vector<pid_t>() : os::children_of(inner);
    return !inner_keepers.empty() && os::main_child_of(inner_keepers.front()) != 0;
  }));
  ::kill(outer.pid(), SIGTERM);
  CHECK(outer.wait().exit_code == 128 + SIGTERM);
}

TEST_CASE("run: Ctrl-C on the terminal reaches the command") {
  const Instance instance;
  OnTerminal run(instance, {"sh", "-c",
                            "trap 'echo interrupted; exit 9' INT; echo ready; "
                            "while :; do sleep 0.05; done"});
  REQUIRE(run.shows("ready"));
  run.type("\x03");
  CHECK(run.shows("interrupted"));
  const int status = run.wait_status();
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 9));
}

TEST_CASE("run: Ctrl-Z stops the command and lull run, SIGCONT goes on with both") {
  const Instance instance;
  OnTerminal run(instance, {probe(), "stay"});
  REQUIRE(run.shows("nofile"));
  const std::vector<pid_t> keepers = os::children_of(run.pid());
  REQUIRE(keepers.size() == 1);
  const pid_t job = os::main_child_of(keepers.front());
  REQUIRE(job != 0);
  const auto is_stopped = [job] {
    const auto stat = os::read_process_stat(job);
    return stat && stat->state == 'T';
  };
  run.type("\x1a");
  const int stopped = run.wait_status();
  CHECK(WIFSTOPPED(stopped));
  CHECK(eventually(is_stopped));
  ::kill(run.pid(), SIGCONT);
  CHECK(eventually([&] { return !is_stopped(); }));
  run.type("\x03");
  const int status = run.wait_status();
  INFO("status " << status);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT));
}

TEST_CASE("run: works where nothing can be recorded, and says so") {
  const Instance instance;
  const std::vector<std::string> broken{"LULL_CONFIG_DIR=/nonexistent", "LULL_STATE_DIR=/proc/lull",
                                        "LULL_RUNTIME_DIR=/proc/lull"};
  const Finished finished = Child({lull_program(), "run", "--", "echo", "still"}, broken).wait();
  CHECK(finished.exit_code == 0);
  CHECK(finished.out == "still\n");
  CHECK_THAT(finished.err, ContainsSubstring("not recorded"));
}
