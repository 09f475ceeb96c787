#include "runner/os/machine.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <linux/capability.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <ctime>

namespace lull::os {
namespace {

std::optional<std::string> link_target(const char* path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path, target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

bool has_capability(unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  return ((data[capability / 32].effective >> (capability % 32)) & 1U) != 0;
}

}  // namespace

TimePoint now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

Uptime uptime() {
  timespec since_boot{};
  (void)::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto whole =
      std::chrono::seconds(since_boot.tv_sec) + std::chrono::nanoseconds(since_boot.tv_nsec);
  const auto awake = std::chrono::steady_clock::now().time_since_epoch();
  return {std::chrono::floor<Duration>(whole), std::chrono::floor<Duration>(awake)};
}

Result<std::string> boot_id() {
  auto text = read_file("/proc/sys/kernel/random/boot_id");
  if (!text) return text.error();
  return success(trimmed(std::move(*text)));
}

std::string machine_id() {
  const auto text = read_file("/etc/machine-id");
  return text ? trimmed(*text) : "";
}

Zone machine_zone() {
  const char* tz = std::getenv("TZ");
  const auto link = link_target("/etc/localtime");
  const auto timezone = read_file("/etc/timezone");
  const std::string name =
      machine_zone_name(tz == nullptr ? std::nullopt : std::optional<std::string_view>(tz),
                        link ? std::optional<std::string_view>(*link) : std::nullopt,
                        timezone ? std::optional<std::string_view>(*timezone) : std::nullopt);
  const auto zone = Zone::find(name);
  return zone ? *zone : Zone::utc();
}

Environment own_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<std::string> own_program() {
  const auto target = link_target("/proc/self/exe");
  if (!target) return errno_error("find our own program in /proc/self/exe");
  return success(*target);
}

FileLimit raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {1024, 1024};
  const FileLimit before{limit.rlim_cur, limit.rlim_max};
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // then we make do with what there is
  return before;
}

void give_back_memory() { ::malloc_trim(0); }

int lowest_nice() {
  const int current = ::getpriority(PRIO_PROCESS, 0);  // cannot fail for ourselves
  return std::min(current, returnable_nice());
}

int returnable_nice() {
  constexpr int kNone = 20;
  constexpr rlim_t kHighest = 40;
  if (has_capability(CAP_SYS_NICE)) return -20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NICE, &limit) != 0) return kNone;
  return kNone - static_cast<int>(std::min(limit.rlim_cur, kHighest));
}

bool may_use_realtime_io() { return has_capability(CAP_SYS_ADMIN) || has_capability(CAP_SYS_NICE); }

Result<void> make_folders(const std::string& path, unsigned mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("make " + parent);
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return errno_error("make " + path);
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return errno_error("look at " + path);
  if (!S_ISDIR(made.st_mode)) return Error(ENOTDIR, path + " is not a folder");
  return {};
}

}  // namespace lull::os
