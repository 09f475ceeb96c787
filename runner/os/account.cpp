#include "runner/os/account.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/read_file.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lull::os {
namespace {

constexpr std::size_t kEntrySize = 16384;

Account account_of(const passwd& entry) {
  Account account{entry.pw_uid, entry.pw_gid, {}, entry.pw_name, entry.pw_dir, entry.pw_shell};
  int count = 64;
  account.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count) < 0) {
    account.groups.resize(static_cast<std::size_t>(count));  // it said how many there are
    ::getgrouplist(entry.pw_name, entry.pw_gid, account.groups.data(), &count);
  }
  account.groups.resize(static_cast<std::size_t>(count));
  return account;
}

/// While it lives, this thread alone opens files as `account` would: setfsuid(2) takes uid 0's
/// capabilities over files with it, and the raw setgroups acts on one thread where libc's acts on
/// all.
class FileSystemRights {
 public:
  explicit FileSystemRights(const Account& account)
      : groups_(static_cast<std::size_t>(::syscall(SYS_getgroups, 0, nullptr))) {
    ::syscall(SYS_getgroups, groups_.size(), groups_.data());
    ::syscall(SYS_setgroups, account.groups.size(), account.groups.data());
    ::setfsgid(account.gid);
    ::setfsuid(account.uid);
  }
  FileSystemRights(const FileSystemRights&) = delete;
  FileSystemRights& operator=(const FileSystemRights&) = delete;
  ~FileSystemRights() {
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    ::syscall(SYS_setgroups, groups_.size(), groups_.data());
  }

 private:
  std::vector<gid_t> groups_;
};

}  // namespace

Result<Account> find_account(std::string_view name) {
  const std::string wanted(name);
  std::array<char, kEntrySize> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(wanted.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0) {
    errno = error;
    return errno_error("look up user " + wanted);
  }
  if (found == nullptr) return Error(ENOENT, "there is no user " + wanted);
  return account_of(entry);
}

Result<Account> own_account() {
  std::array<char, kEntrySize> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  Account account{::getuid(), ::getgid(), {::getgid()}, std::to_string(::getuid()), "/", "/bin/sh"};
  if (found != nullptr) account = account_of(entry);
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') account.home = home;
  return account;
}

Result<std::string> read_file_as(const Account& account, const std::string& path) {
  if (account.uid == ::geteuid()) return read_file(path);
  const FileSystemRights rights(account);
  return read_file(path);
}

}  // namespace lull::os
