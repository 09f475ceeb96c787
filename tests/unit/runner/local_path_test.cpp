#include "runner/os/local_path.hpp"

#include "runner/os/mounts.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <filesystem>

namespace {

using namespace lull::os;
using Is = LocalPath::Is;

/// This machine's mounts, with the file system below `folder` taken for local or not.
std::vector<Mount> mounts_with(const std::string& folder, const std::string& type) {
  auto mounts = read_mounts();
  for (Mount& mount : mounts) {
    if (mount_of(mounts, folder) == &mount) mount.type = type;
  }
  for (Mount& mount : mounts) {
    if (mount.point == "/") mount.type = "ext4";
  }
  return mounts;
}

TEST_CASE("local path: is there, or missing below the last folder on the way") {
  const lull::tests::TempFolder folder;
  folder.write("a/file", "");
  const auto mounts = mounts_with(folder.path(), "ext4");
  CHECK(look_for(mounts, folder.path("a/file")).is == Is::there);
  CHECK(look_for(mounts, "/").is == Is::there);
  const auto missing = look_for(mounts, folder.path("a/b/c"));
  CHECK(missing.is == Is::missing);
  CHECK(missing.folder == folder.path("a"));
  CHECK(look_for(mounts, folder.path("a/file/c")).folder == folder.path("a"));
}

TEST_CASE("local path: links are followed where they lead") {
  const lull::tests::TempFolder folder;
  folder.write("a/file", "");
  std::filesystem::create_symlink("a", folder.path("link"));
  std::filesystem::create_symlink("/proc/self", folder.path("away"));
  const auto mounts = mounts_with(folder.path(), "ext4");
  CHECK(look_for(mounts, folder.path("link/file")).is == Is::there);
  CHECK(look_for(mounts, folder.path("link/none")).is == Is::missing);
  CHECK(look_for(mounts, folder.path("away/status")).is == Is::elsewhere);
}

TEST_CASE("local path: a server's file system is not looked at, nor what is below one") {
  const lull::tests::TempFolder folder;
  folder.write("nas/file", "");
  auto mounts = mounts_with(folder.path(), "ext4");
  mounts.push_back({"0:99", folder.path("nas"), "nfs4", "server:/", ""});
  mounts.push_back({"8:1", folder.path("nas/disk"), "ext4", "/dev/sda1", ""});
  CHECK(look_for(mounts, folder.path("nas/file")).is == Is::elsewhere);
  CHECK(look_for(mounts, folder.path("nas/disk/file")).is == Is::elsewhere);
  CHECK(look_for(mounts, folder.path("none")).is == Is::missing);
  CHECK(look_for({}, folder.path()).is == Is::elsewhere);
}

}  // namespace
