#include "runner/os/trusted_file.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/trusted_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

namespace lull::os {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;
constexpr std::size_t kGroupBuffer = 65536;

/// Whether a group is named like the user and has no other members. That no other account has it as
/// its primary group, cannot be asked; tools that make such groups never share them.
bool is_own_group(const Account& self) {
  std::vector<char> buffer(kGroupBuffer);
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(self.gid, &entry, buffer.data(), buffer.size(), &found) != 0) return false;
  if (found == nullptr || found->gr_name != self.name) return false;
  for (char** member = found->gr_mem; *member != nullptr; ++member) {
    if (*member != self.name) return false;
  }
  return true;
}

Fingerprint fingerprint_of(const struct stat& status) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec,
          static_cast<std::uint64_t>(status.st_size), status.st_ino};
}

Error too_large(const std::string& path) {
  return Error(path + " is larger than 1 MiB: no config file is, so it is not read");
}

Result<void> judge_file(int fd, const struct stat& status, const std::string& path,
                        const Trust& trust) {
  if (!S_ISREG(status.st_mode)) return Error(path + " is no regular file: put one there");
  if (auto judged = judge(fd, status, path, trust); !judged) return judged.error();
  if (trust.refuse_hard_links && status.st_nlink > 1) {
    return Error(path + " has more than one name (hard link): copy it instead of linking it");
  }
  if (static_cast<std::size_t>(status.st_size) > kLargestFile) return too_large(path);
  return {};
}

/// The whole file; one that grows while it is read may have been larger than was seen.
Result<std::string> read_all(int fd, std::size_t expected, const std::string& path) {
  std::string text(expected + 1, '\0');
  std::size_t length = 0;
  while (true) {
    const auto count = ::read(fd, text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("read " + path);
    length += static_cast<std::size_t>(count);
    // A regular file gives less than was asked for only at its end.
    if (length < text.size()) break;
    if (length > kLargestFile) return too_large(path);
    text.resize(text.size() * 2);
  }
  text.resize(length);
  return success(std::move(text));
}

Result<TrustedText> read_opened(const Fd& fd, const std::string& path, const Trust& trust) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error("look at " + path);
  if (auto judged = judge_file(fd.get(), status, path, trust); !judged) return judged.error();
  auto text = read_all(fd.get(), static_cast<std::size_t>(status.st_size), path);
  if (!text) return text.error();
  return TrustedText{std::move(*text), fingerprint_of(status)};
}

/// Neither waits for a FIFO's writer, nor follows a link, nor takes a terminal.
Fd open_entry(int folder, const std::string& name) {
  return Fd(
      ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

Result<TrustedText> read_entry(const Entry& entry, const Trust& trust) {
  const auto path = child_path(entry.folder.path, entry.name);
  const auto fd = open_entry(entry.folder.fd.get(), entry.name);
  if (!fd) return errno_error("open " + path);
  return read_opened(fd, path, trust);
}

Result<Folder> copy_of(const Fd& folder, const std::string& path) {
  Folder copy{Fd(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0)), path};
  if (!copy.fd) return errno_error("open " + path + " again");
  return copy;
}

}  // namespace

Trust trust_of(const Account& self) {
  Trust trust{self.uid, std::nullopt, self.uid == 0};
  if (is_own_group(self)) trust.private_group = self.gid;
  return trust;
}

Result<TrustedDirectory> TrustedDirectory::open(const std::string& path, const Trust& trust) {
  if (!path.starts_with('/')) return Error(path + " is a relative path: write an absolute one");
  auto folder = walk_to_folder({}, path, trust);
  if (!folder) return folder.error();
  return TrustedDirectory(std::move(folder->fd), std::move(folder->path), trust);
}

Result<TrustedText> TrustedDirectory::read(const std::string& name) const {
  const auto path = child_path(path_, name);
  const auto fd = open_entry(folder_.get(), name);
  if (fd) return read_opened(fd, path, trust_);
  if (errno != ELOOP) return errno_error("open " + path);
  auto here = copy_of(folder_, path_);
  if (!here) return here.error();
  const auto entry = walk_to_entry(std::move(*here), name, trust_);
  if (!entry) return entry.error();
  return read_entry(*entry, trust_);
}

Result<std::vector<std::string>> TrustedDirectory::names() const {
  Fd listing(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing) return errno_error("list " + path_);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(listing.get()), ::closedir);
  if (!stream) return errno_error("list " + path_);
  static_cast<void>(listing.release());  // closedir closes it
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error("list " + path_);
  std::sort(names.begin(), names.end());
  return names;
}

Result<TrustedText> read_trusted_file(const std::string& path, const Trust& trust) {
  if (!path.starts_with('/')) return Error(path + " is a relative path: write an absolute one");
  const auto entry = walk_to_entry({}, path, trust);
  if (!entry) return entry.error();
  return read_entry(*entry, trust);
}

}  // namespace lull::os
