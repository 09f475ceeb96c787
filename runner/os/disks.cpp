#include "runner/os/disks.hpp"

#include "runner/os/read_file.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

namespace lull::os {
namespace {

namespace fs = std::filesystem;

/// Memory that only looks like a disk: nobody waits for it.
bool is_memory(const std::string& name) {
  return name.compare(0, 4, "zram") == 0 || name.compare(0, 3, "ram") == 0;
}

/// A loop or network block device that nobody has attached, a reader without a card.
bool has_no_medium(const fs::path& device) {
  const auto size = read_file((device / "size").string());
  return size && *size == "0\n";
}

bool is_stacked(const fs::path& device) {
  std::error_code error;
  if (fs::exists(device / "loop" / "backing_file", error)) return true;
  const fs::directory_iterator slaves(device / "slaves", error);
  return !error && slaves != fs::directory_iterator();
}

}  // namespace

std::vector<std::string> list_disks(const std::string& folder) {
  std::vector<std::string> disks;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename();
    const fs::path& device = entry->path();
    if (!is_memory(name) && !has_no_medium(device) && !is_stacked(device))
      disks.push_back(std::move(name));
  }
  return disks;
}

std::string disk_number(const std::string& name, const std::string& folder) {
  const auto number = read_file(folder + "/" + name + "/dev");
  return number ? number->substr(0, number->find('\n')) : "";
}

}  // namespace lull::os
