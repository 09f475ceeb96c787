#include "runner/keeper/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace lull::keeper {
namespace {

constexpr int kCreate = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
constexpr long kRunFileSize = 4096;
constexpr std::int64_t kSector = 512;  // getrusage(2) counts blocks of 512 bytes

using Page = Line<kRunFileSize>;

/// Field 22 of /proc/self/stat, in clock ticks since boot.
std::int64_t own_start_time() {
  char buffer[1024];
  std::string_view text = read_small("/proc/self/stat", buffer);
  const std::size_t at = text.rfind(')');
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + 1);  // before field 3
  for (int field = 3; field < 22; ++field) {
    const std::size_t blank = text.find(' ', 1);
    if (blank == std::string_view::npos) return 0;
    text.remove_prefix(blank);
  }
  text.remove_prefix(1);
  return take_number(text);
}

void add(Page& page, std::string_view key, std::int64_t value) {
  page << key << " " << value << "\n";
}

std::int64_t microseconds(const timeval& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
}

/// What all waited-for descendants used together.
void add_usage(Page& page) {
  rusage usage{};
  sys(SYS_getrusage, RUSAGE_CHILDREN, &usage);
  add(page, "cpu_us", microseconds(usage.ru_utime) + microseconds(usage.ru_stime));
  add(page, "read_bytes", static_cast<std::int64_t>(usage.ru_inblock) * kSector);
  add(page, "written_bytes", static_cast<std::int64_t>(usage.ru_oublock) * kSector);
}

void add_ending(Page& page, const Ended& ended) {
  page << "outcome " << ended.outcome << "\n";
  if (ended.waited && WIFEXITED(ended.status)) add(page, "exit_code", WEXITSTATUS(ended.status));
  if (ended.waited && WIFSIGNALED(ended.status)) add(page, "signal", WTERMSIG(ended.status));
  if (ended.failed.error != 0) {
    page << "stage " << stage_name(ended.failed.stage) << "\n";
    add(page, "errno", ended.failed.error);
  }
  add(page, "started_us", ended.started_us);
  add(page, "ended_us", ended.ended_us);
  add(page, "left_behind", ended.left_behind);
  add(page, "unkillable", ended.unkillable);
  add(page, "oom_kills", ended.oom_kills);
  add(page, "dropped_bytes", static_cast<std::int64_t>(ended.dropped));
}

}  // namespace

int claim_run(const PlanView& plan, pid_t keeper) {
  const long file = sys(SYS_openat, AT_FDCWD, plan.text(plan->run_file), kCreate, 0600);
  if (file < 0) return static_cast<int>(file);
  // So that a disk which fills up meanwhile cannot take the outcome from us. Not every file system
  // can reserve.
  const long reserved = sys(SYS_fallocate, file, FALLOC_FL_KEEP_SIZE, 0, kRunFileSize);
  if (reserved == -ENOSPC) return -ENOSPC;
  Line<256> text;
  text << "lull-run 1\nboot " << plan.text(plan->boot_id) << "\nkeeper ";
  text << static_cast<std::int64_t>(keeper) << " " << own_start_time() << "\n";
  const long written = sys(SYS_write, file, text.c_str(), text.view().size());
  return static_cast<int>(written < 0 ? written : file);
}

int publish_outcome(int run_file, const Ended& ended) {
  Page page;
  add_ending(page, ended);
  add_usage(page);
  page << "end\n";
  return static_cast<int>(sys(SYS_write, run_file, page.c_str(), page.view().size()));
}

}  // namespace lull::keeper
