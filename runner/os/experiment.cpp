#include "runner/os/experiment.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/spinner.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <thread>

namespace lull::os {
namespace {

using std::chrono::milliseconds;

Result<void> write_text(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno_error("open " + path);
  if (::write(file.get(), text.data(), text.size()) < 0) {
    return errno_error("write " + text + " to " + path);
  }
  return {};
}

/// While this lives, what would end us waits: a group that stays behind is nobody's.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, &before_);
  }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;
  ~NoSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// A cgroup that is removed again.
class TrialGroup {
 public:
  static Result<TrialGroup> make(const std::string& parent) {
    TrialGroup group(parent + "/lull-doctor-" + std::to_string(::getpid()));
    if (::mkdir(group.path_.c_str(), 0755) == 0) return group;
    const Error error = errno_error("make " + group.path_);
    group.path_.clear();
    return error;
  }
  TrialGroup(TrialGroup&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TrialGroup& operator=(TrialGroup&&) = delete;
  TrialGroup(const TrialGroup&) = delete;
  TrialGroup& operator=(const TrialGroup&) = delete;
  ~TrialGroup() {
    if (path_.empty()) return;
    // The kernel may take a moment to see that the last process has left.
    for (int i = 0; i < 100 && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i)
      std::this_thread::sleep_for(milliseconds(10));
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TrialGroup(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// Writes something when it goes.
class Undo {
 public:
  Undo(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() { now(); }

  void now() {
    if (!text_.empty()) (void)write_text(file_, text_);  // a group that is gone needs no thawing
    text_.clear();
  }

 private:
  std::string file_;
  std::string text_;
};

/// Both spinners behind one start. The pipe's writing end is closed to let them go.
struct Pair {
  Spinner held_back;
  Spinner plain;
  Fd go;
};

Result<Pair> start_pair() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("make a pipe");
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const int cpu = any_cpu();
  auto held_back = Spinner::start(cpu, reader, writer);
  if (!held_back) return held_back.error();
  auto plain = Spinner::start(cpu, reader, writer);
  if (!plain) return plain.error();
  return Pair{std::move(*held_back), std::move(*plain), std::move(writer)};
}

/// CPU time of a child that is not reaped yet.
std::chrono::microseconds used_by(const Spinner& spinner) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(spinner.pid(), &clock) != 0) return {};
  if (::clock_gettime(clock, &used) != 0) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
}

SharedCpu run(Pair& pair, milliseconds time, Undo* undo) {
  pair.go.reset();
  std::this_thread::sleep_for(time);
  // A process that v1's freezer holds does not even die.
  if (undo != nullptr) undo->now();
  // Both at once: one that is held back well gets no turn to die in while the other spins.
  pair.held_back.kill();
  pair.plain.kill();
  SharedCpu shared;
  shared.held_back = pair.held_back.end();
  shared.plain = pair.plain.end();
  return shared;
}

Result<void> set_nice(pid_t pid) {
  if (::setpriority(PRIO_PROCESS, static_cast<id_t>(pid), 19) == 0) return {};
  return errno_error("set nice 19");
}

/// Without CAP_SYS_ADMIN the kernel takes one write in 100 ms, on the whole machine, and says
/// EAGAIN to the others: kernel/sched/autogroup.c.
Result<void> set_autogroup(pid_t pid) {
  constexpr int kTries = 150;
  constexpr milliseconds kPause{20};
  const std::string path = "/proc/" + std::to_string(pid) + "/autogroup";
  for (int i = 0; i < kTries; ++i) {
    auto written = write_text(path, "19");
    if (written || written.error().code() != EAGAIN) return written;
    std::this_thread::sleep_for(kPause);
  }
  return write_text(path, "19");
}

Result<SharedCpu> try_alone(Trial::Way way, milliseconds time) {
  auto pair = start_pair();
  if (!pair) return pair.error();
  const pid_t pid = pair->held_back.pid();
  const auto set = way == Trial::Way::nice ? set_nice(pid) : set_autogroup(pid);
  if (!set) return set.error();
  return run(*pair, time, nullptr);
}

/// The order in which things go is the reverse of that in which they are made: first the group
/// thaws, then the spinners end, then the group is removed.
Result<SharedCpu> try_in_group(const Trial& trial, milliseconds time) {
  const NoSignals quiet;
  auto group = TrialGroup::make(trial.folder);
  if (!group) return group.error();
  auto pair = start_pair();
  if (!pair) return pair.error();
  const std::string file = group->path() + '/' + trial.file;
  const std::string pid = std::to_string(pair->held_back.pid());
  if (const auto moved = write_text(group->path() + "/cgroup.procs", pid); !moved) {
    return moved.error();
  }
  Undo undo(file, trial.undo);
  if (const auto set = write_text(file, trial.value); !set) return set.error();
  return run(*pair, time, &undo);
}

}  // namespace

Result<SharedCpu> try_out(const Trial& trial, milliseconds time) {
  switch (trial.way) {
    case Trial::Way::nice:
    case Trial::Way::autogroup:
      return try_alone(trial.way, time);
    case Trial::Way::group:
      return try_in_group(trial, time);
  }
  return Error("no such trial");
}

Result<SharedCpu> try_out_between(const PutSpinners& put, milliseconds time) {
  auto pair = start_pair();
  if (!pair) return pair.error();
  if (const auto there = put(pair->held_back.pid(), pair->plain.pid()); !there) {
    return there.error();
  }
  constexpr std::chrono::seconds kUntilSettled{2};
  pair->go.reset();
  std::this_thread::sleep_for(kUntilSettled);
  const SharedCpu before{used_by(pair->held_back), used_by(pair->plain)};
  const SharedCpu all = run(*pair, time, nullptr);
  return SharedCpu{all.held_back - before.held_back, all.plain - before.plain};
}

}  // namespace lull::os
