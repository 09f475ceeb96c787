#pragma once

#include "runner/os/fd.hpp"
#include "tests/support/temp_folder.hpp"

#include <string>

namespace lull::tests {

/// An empty ext4 in a file, on a loop device once it is mounted, with the link that udev(7) makes
/// for it where there is no udev. For root.
class LoopDisk {
 public:
  explicit LoopDisk(std::string image);
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  [[nodiscard]] const std::string& uuid() const { return uuid_; }
  void mount_at(const std::string& folder) const;
  void unmount() const;

 private:
  std::string image_;
  std::string uuid_;
  std::string device_;
  bool linked_ = false;
  mutable std::string mounted_at_;
};

/// A file system whose server has died: FUSE, of which nobody reads the questions.
class DeadFileSystem {
 public:
  DeadFileSystem();
  ~DeadFileSystem() { end(); }
  DeadFileSystem(const DeadFileSystem&) = delete;
  DeadFileSystem& operator=(const DeadFileSystem&) = delete;

  /// False where it could not be mounted.
  [[nodiscard]] bool is_there() const { return mounted_; }
  /// What is asked of it ends with an error, and its folder is an empty one again.
  void end();
  [[nodiscard]] std::string path(const std::string& name) const { return point_ + "/" + name; }

 private:
  TempFolder folder_;
  std::string point_;
  os::Fd fuse_;
  bool mounted_ = false;
};

}  // namespace lull::tests
