#include "runner/os/freezer.hpp"

#include "runner/keeper/plan.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/pidfd.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

namespace lull::os {
namespace {

constexpr const char* kV2 = "cgroup.freeze";
constexpr const char* kV1 = "freezer.state";

bool contains(const std::string& path, std::string_view text) {
  const auto content = read_file(path);
  return content && content->find(text) != std::string::npos;
}

/// Its pid may be another's by now: the start time tells.
void signal_process(const ProcessStat& process, int signal) {
  const Fd pidfd = open_pidfd(process.pid);
  if (!pidfd) return;
  const auto now = read_process_stat(process.pid);
  if (now && now->start_time == process.start_time) send_signal(pidfd.get(), signal);
}

}  // namespace

Freezer::Freezer(RunProcesses run, bool by_signals)
    : run_(std::move(run)), by_signals_(by_signals) {
  find_way();
}

/// A group that somebody emptied (moved the job into another) freezes nothing.
void Freezer::find_way() {
  way_ = Way::signals;
  folder_.clear();
  if (by_signals_) return;
  if (std::string v2 = folder_with(run_, kV2); !v2.empty() && !is_emptied(v2)) {
    way_ = Way::v2;
    folder_ = std::move(v2);
  } else if (std::string v1 = folder_with(run_, kV1); !v1.empty() && !is_emptied(v1)) {
    way_ = Way::v1;
    folder_ = std::move(v1);
  }
}

void Freezer::write(const char* text) const {
  const std::string path = folder_ + "/" + (way_ == Way::v2 ? kV2 : kV1);
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  // A group that is gone had its run ended: nothing to freeze.
  if (file) (void)!::write(file.get(), text, std::strlen(text));
}

/// One that stands still already, by the job's own doing, is not ours to continue later.
void Freezer::stop(const ProcessStat& process) {
  if (process.state == 'T') return;
  signal_process(process, SIGSTOP);
  stopped_.push_back(process);
}

/// Children first: a shell that went on before its child would take that for stopped by Ctrl-Z.
/// Remembered, since a run whose keeper was killed meanwhile has no tree any more. Whoever takes a
/// run over remembers nothing, and goes by the tree.
void Freezer::go_on() {
  if (stopped_.empty() && way_ == Way::signals) stopped_ = tree_of(run_);
  for (auto process = stopped_.rbegin(); process != stopped_.rend(); ++process)
    signal_process(*process, SIGCONT);
  stopped_.clear();
}

void Freezer::freeze(const std::vector<pid_t>& outside) {
  if (way_ != Way::signals && is_emptied(folder_)) find_way();
  if (way_ == Way::signals) {
    return for_each_process(run_, [this](const ProcessStat& process) { stop(process); });
  }
  write(way_ == Way::v2 ? "1" : "FROZEN");
  for (const pid_t pid : outside) {
    if (const auto process = read_process_stat(pid)) stop(*process);
  }
}

void Freezer::thaw() {
  if (way_ != Way::signals) write(way_ == Way::v2 ? "0" : "THAWED");
  go_on();
}

bool Freezer::is_frozen() const {
  switch (way_) {
    case Way::v2:
      return contains(folder_ + "/cgroup.events", "frozen 1");
    case Way::v1:
      return contains(folder_ + "/" + kV1, "FROZEN");
    case Way::signals:
      break;
  }
  const auto tree = tree_of(run_);
  return std::all_of(tree.begin(), tree.end(), [](const ProcessStat& process) {
    return process.state == 'T' || process.state == 't';
  });
}

std::string_view Freezer::knob() const {
  switch (way_) {
    case Way::v2:
      return kV2;
    case Way::v1:
      return kV1;
    case Way::signals:
      break;
  }
  return "SIGSTOP";
}

void tell_keeper(const ProcessIdentity& keeper) {
  if (const Fd pidfd = open_process(keeper)) send_signal(pidfd.get(), keeper::kDriverSignal);
}

}  // namespace lull::os
