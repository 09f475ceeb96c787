#include "runner/os/trusted_walk.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>
#include <utility>
#include <vector>

namespace lull::os {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's own limit, path_resolution(7)

bool is_trusted_owner(const struct stat& status, const Trust& trust) {
  return status.st_uid == 0 || status.st_uid == trust.uid;
}

Error wrong_owner(const struct stat& status, const std::string& path, const Trust& trust) {
  const auto owner = std::to_string(trust.uid);
  return Error(path + " belongs to user " + std::to_string(status.st_uid) +
               ", who could change it: " + "chown " + owner + ' ' + path);
}

/// With an access control list the group bits are its mask and say nothing about who is in it.
/// fgetxattr(2) refuses O_PATH descriptors, the link in /proc does not.
bool has_access_list(int fd) {
  const auto link = "/proc/self/fd/" + std::to_string(fd);
  return ::getxattr(link.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

bool is_private_group(int fd, const struct stat& status, const Trust& trust) {
  return trust.private_group && status.st_gid == *trust.private_group && !has_access_list(fd);
}

class Walk {
 public:
  Walk(Folder start, const Trust& trust) : at_(std::move(start)), trust_(trust) {}

  Result<Folder> to_folder(const std::string& path) {
    if (auto pushed = push(path); !pushed) return pushed.error();
    while (!pending_.empty()) {
      auto step = take_step(true);
      if (!step) return step.error();
    }
    return std::move(at_);
  }

  Result<Entry> to_entry(const std::string& path) {
    if (auto pushed = push(path); !pushed) return pushed.error();
    while (!pending_.empty()) {
      auto name = pending_.back();
      auto step = take_step(false);
      if (!step) return step.error();
      if (*step == Step::found) return Entry{std::move(at_), std::move(name)};
    }
    return Error(EISDIR, at_.path + " is a folder: name a file");
  }

 private:
  enum class Step { went_on, found };

  /// Puts a path in front of what is left to walk.
  Result<void> push(std::string_view path) {
    if (path.starts_with('/')) {
      auto root = root_folder(trust_);
      if (!root) return root.error();
      at_ = std::move(*root);
    }
    for (auto end = path.size(); end != 0 && end != std::string_view::npos;) {
      const auto slash = path.substr(0, end).rfind('/');
      const auto start = slash == std::string_view::npos ? 0 : slash + 1;
      const auto name = path.substr(start, end - start);
      if (!name.empty() && name != ".") pending_.emplace_back(name);
      end = slash;
    }
    return {};
  }

  /// One component: into a folder, or through a link, or at the last one, if that need be no
  /// folder, up to it.
  Result<Step> take_step(bool into_last) {
    const auto name = std::move(pending_.back());
    pending_.pop_back();
    const auto path = child_path(at_.path, name);
    Fd fd(::openat(at_.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return errno_error("open " + path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return errno_error("look at " + path);
    if (S_ISLNK(status.st_mode)) return follow(fd.get(), status, path);
    if (pending_.empty() && !into_last) return Step::found;
    return enter(std::move(fd), status, name, path);
  }

  Result<Step> follow(int link, const struct stat& status, const std::string& path) {
    if (!is_trusted_owner(status, trust_)) {
      return Error("the symbolic link " + path + " belongs to user " +
                   std::to_string(status.st_uid) + ", who could lead it elsewhere: remove it");
    }
    if (++links_ > kMostLinks) return Error(ELOOP, path + " has too many symbolic links");
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(link, "", target.data(), target.size());
    if (length < 0) return errno_error("read the symbolic link " + path);
    if (auto pushed = push({target.data(), static_cast<std::size_t>(length)}); !pushed) {
      return pushed.error();
    }
    return Step::went_on;
  }

  Result<Step> enter(Fd fd, const struct stat& status, const std::string& name,
                     const std::string& path) {
    if (!S_ISDIR(status.st_mode)) return Error(ENOTDIR, path + " is no folder");
    if (auto judged = judge(fd.get(), status, path, trust_); !judged) return judged.error();
    const bool up = name == "..";
    at_.path = up ? at_.path.substr(0, std::max<std::size_t>(at_.path.rfind('/'), 1)) : path;
    at_.fd = std::move(fd);
    return Step::went_on;
  }

  Folder at_;
  const Trust& trust_;
  std::vector<std::string> pending_;  // the next component last
  int links_ = 0;
};

}  // namespace

std::string child_path(const std::string& folder, std::string_view name) {
  return std::string(folder == "/" ? "" : folder).append("/").append(name);
}

Result<void> judge(int fd, const struct stat& status, const std::string& path, const Trust& trust) {
  if (!is_trusted_owner(status, trust)) return wrong_owner(status, path, trust);
  // In a sticky folder others may add names, but neither remove nor replace what is there.
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) return {};
  if ((status.st_mode & S_IWOTH) != 0) {
    return Error(path + " is writable by others: chmod o-w " + path);
  }
  if ((status.st_mode & S_IWGRP) != 0 && !is_private_group(fd, status, trust)) {
    return Error(path + " is writable by group " + std::to_string(status.st_gid) + ": chmod g-w " +
                 path);
  }
  return {};
}

Result<Folder> root_folder(const Trust& trust) {
  Folder root{Fd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), "/"};
  if (!root.fd) return errno_error("open /");
  struct stat status {};
  if (::fstat(root.fd.get(), &status) != 0) return errno_error("look at /");
  if (auto judged = judge(root.fd.get(), status, root.path, trust); !judged) return judged.error();
  return root;
}

Result<Folder> walk_to_folder(Folder start, const std::string& path, const Trust& trust) {
  return Walk(std::move(start), trust).to_folder(path);
}

Result<Entry> walk_to_entry(Folder start, const std::string& path, const Trust& trust) {
  return Walk(std::move(start), trust).to_entry(path);
}

}  // namespace lull::os
