#include "runner/os/disks.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <algorithm>
#include <filesystem>

namespace lull::os {
namespace {

TEST_CASE("disks: none that is counted already, nor memory, nor one without a medium") {
  const tests::TempFolder sys;
  for (const char* disk :
       {"sda", "nvme0n1", "dm-0", "md0", "loop0", "loop1", "sr0", "zram0", "ram0"})
    std::filesystem::create_directories(sys.path(disk + std::string("/slaves")));
  std::filesystem::create_directory(sys.path("dm-0/slaves/nvme0n1p2"));
  std::filesystem::create_directory(sys.path("md0/slaves/sda1"));
  std::filesystem::create_directory(sys.path("loop0/loop"));
  sys.write("loop0/loop/backing_file", "/home/me/image\n");
  sys.write("loop1/size", "0\n");
  sys.write("sr0/size", "0\n");
  sys.write("sda/size", "2048\n");
  auto disks = list_disks(sys.path());
  std::sort(disks.begin(), disks.end());
  CHECK(disks == std::vector<std::string>{"nvme0n1", "sda"});
}

TEST_CASE("disks: without a /sys there are none that we know of") {
  CHECK(list_disks("/nonexistent").empty());
}

}  // namespace
}  // namespace lull::os
