#include "runner/os/disks.hpp"

#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <filesystem>
#include <system_error>

namespace lull::os {
namespace {

namespace fs = std::filesystem;

/// Memory that only looks like a disk: nobody waits for it.
bool is_memory(const std::string& name) {
  return name.compare(0, 4, "zram") == 0 || name.compare(0, 3, "ram") == 0;
}

bool is_stacked(const fs::path& device) {
  std::error_code error;
  if (fs::exists(device / "loop" / "backing_file", error)) return true;
  const fs::directory_iterator slaves(device / "slaves", error);
  return !error && slaves != fs::directory_iterator();
}

}  // namespace

std::vector<Disk> list_disks(const std::string& folder) {
  std::vector<Disk> disks;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (is_memory(name) || is_stacked(entry->path())) continue;
    const auto scheduler = read_file(entry->path() / "queue" / "scheduler");
    disks.push_back({name, scheduler && chosen_scheduler(*scheduler) == "bfq"});
  }
  return disks;
}

}  // namespace lull::os
