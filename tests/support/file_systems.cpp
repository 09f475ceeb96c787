#include "tests/support/file_systems.hpp"

#include "runner/os/kernel_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/daemon.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <utility>
#include <vector>

namespace lull::tests {
namespace {

std::string run(const std::vector<std::string>& argv) {
  const Finished done = Child(argv, {}).wait();
  INFO(argv.front() + ": " + done.err);
  REQUIRE(done.exit_code == 0);
  return os::trimmed(done.out);
}

}  // namespace

LoopDisk::LoopDisk(std::string image) : image_(std::move(image)) {
  run({"truncate", "-s", "8M", image_});
  run({"mkfs.ext4", "-q", image_});
  uuid_ = run({"blkid", "-p", "-s", "UUID", "-o", "value", image_});
  device_ = run({"losetup", "--find", "--show", image_});
  const std::string link = "/dev/disk/by-uuid/" + uuid_;
  std::error_code error;
  std::filesystem::create_directories("/dev/disk/by-uuid", error);
  std::filesystem::create_symlink(device_, link, error);
  linked_ = !error;
}

LoopDisk::~LoopDisk() {
  if (!mounted_at_.empty()) ::umount2(mounted_at_.c_str(), MNT_DETACH);
  if (linked_) ::unlink(("/dev/disk/by-uuid/" + uuid_).c_str());
  Child({"losetup", "--detach", device_}, {}).wait();
}

void LoopDisk::mount_at(const std::string& folder) const {
  run({"mount", device_, folder});
  mounted_at_ = folder;
}

void LoopDisk::unmount() const {
  run({"umount", mounted_at_});
  mounted_at_.clear();
}

DeadFileSystem::DeadFileSystem()
    : point_(folder_.path("nas")), fuse_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
  std::filesystem::create_directory(point_);
  if (!fuse_) return;
  const std::string options =
      "fd=" + std::to_string(fuse_.get()) + ",rootmode=40000,user_id=0,group_id=0";
  mounted_ = ::mount("dead", point_.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
}

void DeadFileSystem::end() {
  fuse_.reset();
  if (std::exchange(mounted_, false)) ::umount2(point_.c_str(), MNT_DETACH);
}

}  // namespace lull::tests
