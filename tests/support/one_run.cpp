#include "tests/support/one_run.hpp"

#include "runner/os/machine.hpp"
#include "runner/os/pidfd.hpp"
#include "runner/os/process.hpp"
#include "runner/os/read_file.hpp"
#include "tests/support/deadline.hpp"

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lull::tests {

std::string probe() {
  const std::string own = os::own_program().value();
  return own.substr(0, own.rfind('/')) + "/lull-probe";
}

JobSpec probe_job(const std::vector<std::string>& arguments) {
  JobSpec spec;
  spec.name = "probe";
  Command command{{probe()}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  spec.what = command;
  spec.directory = "/";
  spec.limits.stop_timeout = std::chrono::milliseconds(300);
  // Not the default: on a busy machine a courteous job may take minutes to do nothing.
  spec.priority.levels = levels_of(Policy::important);
  return spec;
}

std::multimap<std::string, std::string> parse_output(const std::string& text) {
  std::multimap<std::string, std::string> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string::npos) values.emplace(line.substr(0, blank), line.substr(blank + 1));
  }
  return values;
}

OneRun::OneRun(const JobSpec& spec, const supervisor::LaunchOptions& options)
    : spec_(spec),
      files_(os::RunFiles::open(state_.path()).value()),
      launcher_(supervisor::Launcher::make(files_, state_.path()).value()) {
  run_.id = 1;
  run_.job = spec.name;
  run_.slot = os::now();
  auto launched = launcher_.launch(spec, run_, options);
  if (launched) {
    launched_.emplace(std::move(*launched));
  } else {
    launch_error_ = launched.error().what();
  }
}

OneRun::~OneRun() {
  if (!launched_ || os::has_ended(launched_->keeper.pidfd.get())) return;
  signal_keeper(SIGTERM);
  wait();
}

void OneRun::read_reports() {
  const auto news = os::read_reports(launched_->keeper.reports.get());
  if (news) reports_.insert(reports_.end(), news->begin(), news->end());
}

bool OneRun::wait_until_running() {
  eventually([this] {
    read_reports();
    return job() != 0 || os::has_ended(launched_->keeper.pidfd.get());
  });
  return job() != 0;
}

std::optional<os::KeeperOutcome> OneRun::wait() {
  const bool ended = eventually([this] { return os::has_ended(launched_->keeper.pidfd.get()); });
  if (!ended) return std::nullopt;
  read_reports();
  const auto claimed = files_.read(1).value();
  return claimed ? claimed->outcome : std::nullopt;
}

void OneRun::signal_keeper(int signal) const {
  os::send_signal(launched_->keeper.pidfd.get(), signal);
}

pid_t OneRun::job() const {
  for (const keeper::Report& report : reports_) {
    if (report.kind == keeper::Report::Kind::running) return report.pid;
  }
  return 0;
}

supervisor::DrivenRun OneRun::driven() const {
  const auto keeper = os::identify_process(launched_->keeper.pid).value();
  return launcher_.driven(spec_, run_, keeper, job(), Foreground::light);
}

std::string OneRun::log() const { return slurp(launched_->log + ".old") + slurp(launched_->log); }

void move_out_of(const std::string& group, pid_t process) {
  std::ofstream procs(group.substr(0, group.rfind('/')) + "/cgroup.procs");
  procs << process << std::flush;
  if (!procs) throw std::runtime_error("cannot move a process out of " + group);
}

bool is_alive(pid_t pid) {
  const auto stat = os::read_process_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

bool has_pending(pid_t pid, int signal) {
  const std::string status = slurp("/proc/" + std::to_string(pid) + "/status");
  const std::size_t at = status.find("ShdPnd:");
  if (at == std::string::npos) return false;
  const std::uint64_t pending = std::stoull(status.substr(at + 7), nullptr, 16);
  return ((pending >> static_cast<unsigned>(signal - 1)) & 1U) != 0;
}

std::string slurp(const std::string& path) {
  const auto text = os::read_file(path);
  return text ? *text : "";
}

}  // namespace lull::tests
