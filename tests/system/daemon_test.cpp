// The whole program: `lull daemon` and the commands that talk to it, on real files and jobs.
#include "tests/support/daemon.hpp"

#include "runner/os/instance_lock.hpp"
#include "runner/os/process.hpp"
#include "runner/store/store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/levels.hpp"
#include "tests/support/one_run.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

using namespace lull::tests;
using nlohmann::json;

namespace {

std::string probe_command(const std::string& arguments) {
  return "command = [\"" + probe() + "\", " + arguments + "]\n";
}

void touch(const std::string& path) { std::ofstream(path).flush(); }

bool is_running(const Instance& instance, const std::string& job) {
  return instance.status(job)["state"] == "running";
}

}  // namespace

TEST_CASE("daemon: takes up slots by itself, each recorded with what was applied") {
  Instance instance;
  instance.job("tick", probe_command("\"exit\", \"0\"") +
                           "[schedule]\nevery = \"1s\"\n[priority]\npolicy = \"throttle\"\n");
  instance.start_daemon();
  const json runs = instance.ended_runs("tick", 3);
  REQUIRE(runs.size() >= 3);
  for (std::size_t i = 0; i + 1 < runs.size(); ++i)
    CHECK(runs[i]["slot"] > runs[i + 1]["slot"]);
  const json& first = runs.back();
  CHECK(first["job"] == "tick");
  CHECK(first["trigger"] == "schedule");
  CHECK(first["outcome"] == "success");
  CHECK(first["exit_code"] == 0);
  CHECK(first["signal"].is_null());
  REQUIRE_FALSE(first["levels"].empty());  // on a slow machine it may have been adapted, too
  CHECK(first["levels"][0]["state"] == "light");
  const int nice = light_nice_here(lull::Policy::throttle);
  CHECK(first["levels"][0]["applied"]["nice"] == std::to_string(nice));
  CHECK(first["levels"][0]["applied"]["io"] == "best-effort:7");
}

TEST_CASE(
    "daemon: a period of awake time goes on over a restart, and is no other without a sleep") {
  Instance instance;
  instance.job("tick", probe_command("\"exit\", \"0\"") + "[schedule]\nevery = \"1s awake\"\n");
  instance.start_daemon();
  REQUIRE(instance.ended_runs("tick", 2).size() >= 2);
  instance.end_daemon(SIGTERM);
  const std::size_t before = instance.history("tick").size();
  instance.start_daemon();
  const json runs = instance.ended_runs("tick", before + 2);
  REQUIRE(runs.size() >= before + 2);
  for (std::size_t i = 0; i + 1 < runs.size(); ++i)
    CHECK(runs[i]["slot"] > runs[i + 1]["slot"]);
}

TEST_CASE("daemon: a job for @reboot runs once in each boot but the one that first saw it") {
  Instance instance;
  instance.job("hello", probe_command("\"exit\", \"0\"") + "[schedule]\nat = \"@reboot\"\n");
  instance.start_daemon();
  CHECK_THAT(instance.json({"why", "hello"})["because"].dump(), ContainsSubstring("each boot"));
  instance.end_daemon(SIGTERM);
  CHECK(instance.history("hello").empty());
  // As if the machine had been booted since.
  const std::string database = instance.path("state") + "/lull.db";
  lull::store::Store::open(database).value().set_boot("hello", "an earlier boot");
  instance.start_daemon();
  const json runs = instance.ended_runs("hello", 1);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0]["outcome"] == "success");
  CHECK(runs[0]["trigger"] == "schedule");
  instance.end_daemon(SIGTERM);
  instance.start_daemon();
  CHECK(instance.lull({"reload"}).exit_code == 0);
  CHECK(instance.status("hello")["state"] == "idle");
  CHECK(instance.history("hello").size() == 1);
}

TEST_CASE("daemon: status shows what runs, the kernel agrees, stop ends it") {
  Instance instance;
  instance.job("long",
               probe_command("\"stay\"") + "[priority]\nlight = { nice = 12, io = \"idle\" }\n");
  instance.start_daemon();
  CHECK(instance.status("long")["state"] == "idle");
  CHECK(instance.lull({"start", "long"}).exit_code == 0);
  const json status = instance.status("long");
  CHECK(status["state"] == "running");
  CHECK(status["level"] == "nice 12, idle");
  const std::string pid = status["pid"].dump();
  const json seen = instance.json({"inspect", "--pid", pid});
  CHECK(seen["nice"] == 12);
  CHECK(seen["io"] == "idle");
  CHECK(seen["policy"] == "other");
  CHECK(instance.lull({"start", "long"}).exit_code == 1);  // under way already
  const Finished stopped = instance.lull({"stop", "long"});
  CHECK(stopped.exit_code == 0);
  CHECK_THAT(stopped.out, ContainsSubstring("stopped"));
  CHECK_FALSE(is_alive(std::stoi(pid)));
  CHECK(instance.history("long")[0]["outcome"] == "stopped");
  CHECK(instance.lull({"stop", "long"}).exit_code == 1);
}

TEST_CASE("stop: of a job that does not run says so, and does the supervisor no harm") {
  Instance instance;
  const std::string name = "a-name-that-is-longer-than-a-short-string";
  instance.job(name, probe_command("\"stay\""));
  instance.start_daemon();
  for (int i = 0; i < 5; ++i)
    CHECK_THAT(instance.lull({"stop", name}).err, ContainsSubstring(name + " is not running"));
  CHECK(instance.lull({"stop", "nothing"}).exit_code == 1);
  CHECK(instance.status(name)["state"] == "idle");
}

TEST_CASE("daemon: stopped by Ctrl-Z it lets another lull drive the jobs, and takes them back") {
  Instance instance;
  instance.job("spin", probe_command("\"spin\", \"1\""));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "spin"}).exit_code == 0);
  const auto may_drive = [&] {
    const auto lock = instance.path("run") + "/loop.lock";
    return lull::os::take_instance_lock(lock, std::chrono::milliseconds(0)).has_value();
  };
  REQUIRE(eventually([&] { return !may_drive(); }));
  ::kill(instance.daemon().pid(), SIGTSTP);
  CHECK(eventually(may_drive));
  ::kill(instance.daemon().pid(), SIGCONT);
  CHECK(eventually([&] { return !may_drive(); }));
  CHECK(instance.status("spin")["state"] == "running");
}

TEST_CASE("why: a run whose policy has one level has no figures to explain it by") {
  Instance instance;
  instance.job("steady", probe_command("\"stay\"") + "[priority]\npolicy = \"important\"\n");
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "steady"}).exit_code == 0);
  const json expected = json::array({"its policy has one level, whatever happens"});
  CHECK(eventually([&] { return instance.json({"why", "steady"})["because"] == expected; }));
}

TEST_CASE("start --wait: exits as the run ended, and says why it failed") {
  Instance instance;
  instance.job("good", probe_command("\"exit\", \"0\""));
  instance.job("bad", probe_command("\"exit\", \"3\""));
  instance.job("missing", "command = [\"/no/such/program\"]\n");
  instance.job("killed", probe_command("\"kill-self\", \"11\""));
  instance.start_daemon();
  CHECK(instance.lull({"start", "good", "--wait"}).exit_code == 0);
  const Finished bad = instance.lull({"start", "bad", "--wait"});
  CHECK(bad.exit_code == 1);
  CHECK_THAT(bad.out, ContainsSubstring("failed, exit code 3"));
  const Finished missing = instance.lull({"start", "missing", "--wait"});
  CHECK(missing.exit_code == 1);
  CHECK_THAT(missing.out, ContainsSubstring("exec: No such file or directory"));
  CHECK(instance.history("missing")[0]["outcome"] == "spawn-failed");
  CHECK(instance.lull({"start", "missing"}).exit_code == 1);
  CHECK(instance.lull({"start", "killed", "--wait"}).exit_code == 1);
  CHECK(instance.history("killed")[0]["signal"] == 11);
  const Finished unknown = instance.lull({"start", "nothing"});
  CHECK(unknown.exit_code == 1);
  CHECK_THAT(unknown.err, ContainsSubstring("there is no job nothing"));
}

TEST_CASE("daemon: an unknown user is spawn-failed, never a run as somebody else") {
  if (::geteuid() != 0) {
    Instance instance;  // refused when the file is read
    instance.job("other", probe_command("\"self\"") + "user = \"root\"\n");
    CHECK(instance.lull({"check"}).exit_code == 2);
    return;
  }
  Instance instance;
  instance.job("other", probe_command("\"self\"") + "user = \"no-such-user\"\n");
  instance.start_daemon();
  const Finished run = instance.lull({"start", "other", "--wait"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.out, ContainsSubstring("no-such-user"));
  CHECK(instance.history("other")[0]["outcome"] == "spawn-failed");
  CHECK(instance.lull({"log", "other"}).exit_code == 1);  // there was no process
}

TEST_CASE("log: prints a run's output, and --follow goes on until it has ended") {
  Instance instance;
  instance.job("talk", "script = \"echo one; echo two >&2\"\n");
  instance.job("slow", "script = \"echo begin; while [ ! -e '" + instance.path("go") +
                           "' ]; do sleep 0.05; done; echo end\"\n");
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "talk", "--wait"}).exit_code == 0);
  CHECK(instance.lull({"log", "talk"}).out == "one\ntwo\n");
  REQUIRE(instance.lull({"start", "slow"}).exit_code == 0);
  Child follow({lull_program(), "log", "slow", "--follow"}, instance.environment());
  REQUIRE(eventually([&] { return follow.out() == "begin\n"; }));
  CHECK_FALSE(follow.ended());
  touch(instance.path("go"));
  CHECK(follow.wait().exit_code == 0);
  CHECK(follow.out() == "begin\nend\n");
}

TEST_CASE("reload: a broken file keeps the job's last good definition, and other jobs go on") {
  Instance instance;
  instance.job("a", "script = \"echo first\"\n");
  instance.job("b", "script = \"echo b\"\n");
  instance.start_daemon();
  instance.job("a", "scrip = \"echo second\"\n");
  REQUIRE(eventually([&] { return instance.status("a").contains("problems"); }));
  CHECK_THAT(instance.status("a")["problems"][0].get<std::string>(),
             ContainsSubstring("a.toml:1:1: error: "));
  REQUIRE(instance.lull({"start", "a", "--wait"}).exit_code == 0);
  CHECK(instance.lull({"log", "a"}).out == "first\n");
  CHECK(instance.lull({"start", "b", "--wait"}).exit_code == 0);
  instance.job("a", "script = \"echo third\"\n");
  instance.job("c", "script = \"echo c\"\n");
  REQUIRE(eventually([&] {
    return !instance.status("a").contains("problems") && instance.json({"status"}).size() == 3;
  }));
  REQUIRE(instance.lull({"start", "a", "--wait"}).exit_code == 0);
  CHECK(instance.lull({"log", "a"}).out == "third\n");
  std::filesystem::remove(instance.path("config/jobs/c.toml"));
  CHECK(eventually([&] { return instance.json({"status"}).size() == 2; }));
}

TEST_CASE("reload: a file that others may write is refused") {
  Instance instance;
  instance.job("a", "script = \"true\"\n");
  ::chmod(instance.path("config/jobs/a.toml").c_str(), 0666);
  instance.start_daemon();
  CHECK(instance.status("a")["state"] == "broken");
  const Finished check = instance.lull({"check"});
  CHECK(check.exit_code == 2);
  CHECK_THAT(check.out, ContainsSubstring("writable by"));
}

TEST_CASE("stop of the daemon: running jobs go on, and the next daemon knows how they ended") {
  Instance instance;
  instance.job("slow", "script = \"while [ ! -e '" + instance.path("go") +
                           "' ]; do sleep 0.05; done; exit 4\"\n");
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "slow"}).exit_code == 0);
  const pid_t job = instance.status("slow")["pid"];
  const int signal = GENERATE(SIGTERM, SIGKILL);
  instance.end_daemon(signal);
  CHECK(is_alive(job));
  CHECK(instance.lull({"status"}).exit_code == 3);
  SECTION("that ends while no daemon runs") {
    touch(instance.path("go"));
    REQUIRE(eventually([&] { return !is_alive(job); }));
    instance.start_daemon();
  }
  SECTION("that ends under the next daemon") {
    instance.start_daemon();
    CHECK(is_running(instance, "slow"));
    CHECK(instance.status("slow")["pid"] == job);
    touch(instance.path("go"));
  }
  const json runs = instance.ended_runs("slow", 1);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0]["outcome"] == "failed");
  CHECK(runs[0]["exit_code"] == 4);
}

TEST_CASE("stop of the daemon: with --stop-jobs they are stopped and recorded first") {
  Instance instance;
  instance.job("long", probe_command("\"stay\""));
  instance.start_daemon({"--stop-jobs"});
  REQUIRE(instance.lull({"start", "long"}).exit_code == 0);
  const pid_t job = instance.status("long")["pid"];
  CHECK(instance.end_daemon(SIGTERM) == 0);
  CHECK_FALSE(is_alive(job));
  CHECK(instance.history("long")[0]["outcome"] == "stopped");
}

TEST_CASE("daemon: a keeper that was killed leaves an interrupted run") {
  Instance instance;
  instance.job("long", probe_command("\"stay\""));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "long"}).exit_code == 0);
  const pid_t job = instance.status("long")["pid"];
  const pid_t keeper = lull::os::read_process_stat(job)->parent;
  ::kill(keeper, SIGKILL);
  const json runs = instance.ended_runs("long", 1);
  CHECK(runs[0]["outcome"] == "interrupted");
  CHECK(eventually([&] { return !is_alive(job); }));
}

TEST_CASE("daemon: its keepers hold no descriptor of its own") {
  Instance instance;
  instance.job("long", probe_command("\"stay\""));
  instance.start_daemon();
  REQUIRE(instance.lull({"start", "long"}).exit_code == 0);
  const pid_t job = instance.status("long")["pid"];
  const pid_t keeper = lull::os::read_process_stat(job)->parent;
  for (const auto& fd :
       std::filesystem::directory_iterator("/proc/" + std::to_string(keeper) + "/fd")) {
    const std::string target = std::filesystem::read_symlink(fd.path());
    INFO(fd.path() << " " << target);
    CHECK(target.find("socket:") == std::string::npos);
    CHECK(target.find("lull.db") == std::string::npos);
    CHECK(target.find("lock") == std::string::npos);
  }
}

TEST_CASE("daemon: a second one on the same state says who holds it") {
  Instance instance;
  instance.start_daemon();
  const Finished second = instance.lull({"daemon"});
  CHECK(second.exit_code == 1);
  CHECK_THAT(second.err, ContainsSubstring("pid " + std::to_string(instance.daemon().pid())));
}

TEST_CASE("daemon: no more than max_concurrent at once, and all get their turn") {
  Instance instance;
  instance.settings("max_concurrent = 2\n");
  for (int i = 0; i < 6; ++i) {
    instance.job("j" + std::to_string(i),
                 "script = \"echo + >> '" + instance.path("ledger") + "'; sleep 0.3; echo - >> '" +
                     instance.path("ledger") + "'\"\n[schedule]\nevery = \"2s\"\n");
  }
  instance.start_daemon();
  for (int i = 0; i < 6; ++i)
    CHECK_FALSE(instance.ended_runs("j" + std::to_string(i), 1).empty());
  int now = 0;
  int most = 0;
  for (const char c : slurp(instance.path("ledger"))) {
    now += c == '+' ? 1 : c == '-' ? -1 : 0;
    most = std::max(most, now);
  }
  CHECK(most >= 1);
  CHECK(most <= 2);
}

TEST_CASE("overlap: a slot that comes while the job runs is skipped and says so") {
  Instance instance;
  instance.job("slow", "script = \"sleep 3\"\n[schedule]\nevery = \"1s\"\n");
  instance.start_daemon();
  json skipped;
  REQUIRE(eventually([&] {
    for (const json& run : instance.history("slow")) {
      if (run["outcome"] == "skipped") skipped = run;
    }
    return !skipped.is_null();
  }));
  CHECK_THAT(skipped["detail"].get<std::string>(), ContainsSubstring("still going on"));
}

TEST_CASE("overlap: with queue and replace no job ever runs beside itself") {
  const std::string overlap = GENERATE("queue", "replace");
  Instance instance;
  instance.job("slow", "script = \"echo + >> '" + instance.path("ledger") +
                           "'; sleep 1.5; echo - >> '" + instance.path("ledger") +
                           "'\"\n[schedule]\nevery = \"1s\"\n[limits]\noverlap = \"" + overlap +
                           "\"\n");
  instance.start_daemon();
  const json runs = instance.ended_runs("slow", 3);
  // Each began only after the one before had ended.
  for (std::size_t i = 0; i + 1 < runs.size(); ++i) {
    if (runs[i]["started"].is_null()) continue;
    CHECK(runs[i]["started"] >= runs[i + 1]["ended"]);
  }
  if (overlap == "replace") CHECK(runs.back()["outcome"] == "stopped");
}

TEST_CASE("control socket: nonsense is answered, a flood is cut off, the daemon lives") {
  Instance instance;
  instance.job("a", "script = \"true\"\n");
  instance.start_daemon();
  struct stat socket_file {};
  REQUIRE(::stat(instance.path("run/control.sock").c_str(), &socket_file) == 0);
  CHECK((socket_file.st_mode & 0777U) == 0600);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = instance.path("run/control.sock");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  for (const std::string& text :
       {std::string("nonsense\n"), std::string(100'000, 'x'), std::string("{}\n"),
        std::string("{\"protocol\":1,\"command\":\"start\",\"job\":7}\n"),
        std::string(9, '\0') + "\n"}) {
    const lull::os::Fd client(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    (void)!::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
    std::array<char, 512> answer{};
    const ssize_t size = ::recv(client.get(), answer.data(), answer.size(), 0);
    if (size > 0) {
      CHECK_THAT(std::string(answer.data(), static_cast<std::size_t>(size)),
                 ContainsSubstring("\"ok\":false"));
    }
  }
  CHECK(instance.status("a")["state"] == "idle");
}

TEST_CASE("commands: without a supervisor the exit code is 3, history and check still work") {
  Instance instance;
  instance.job("a", "script = \"true\"\n");
  for (const char* verb : {"status", "reload"})
    CHECK(instance.lull({verb}).exit_code == 3);
  for (const char* verb : {"start", "stop"})
    CHECK(instance.lull({verb, "a"}).exit_code == 3);
  CHECK(instance.history().empty());
  CHECK(instance.lull({"check"}).exit_code == 0);
  CHECK(instance.lull({"no-such-command"}).exit_code == 2);
  CHECK(instance.lull({"--version"}).exit_code == 0);
}
