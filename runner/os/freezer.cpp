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

void Freezer::signal_all(int signal) const {
  for_each_process(run_, [signal](const ProcessStat& process) {
    const Fd pidfd = open_pidfd(process.pid);
    if (!pidfd) return;
    // Its pid may be another's by now: the start time tells.
    const auto now = read_process_stat(process.pid);
    if (now && now->start_time == process.start_time) send_signal(pidfd.get(), signal);
  });
}

void Freezer::freeze() {
  if (way_ != Way::signals && is_emptied(folder_)) find_way();
  switch (way_) {
    case Way::v2:
      return write("1");
    case Way::v1:
      return write("FROZEN");
    case Way::signals:
      return signal_all(SIGSTOP);
  }
}

void Freezer::thaw() {
  switch (way_) {
    case Way::v2:
      return write("0");
    case Way::v1:
      return write("THAWED");
    case Way::signals:
      return signal_all(SIGCONT);
  }
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
