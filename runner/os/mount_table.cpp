#include "runner/os/block_devices.hpp"
#include "runner/os/kernel_text.hpp"

#include <algorithm>

namespace lull::os {
namespace {

/// The value of "KEY=VALUE" in a list of options.
std::string option(std::string_view options, std::string_view key) {
  for (const std::string_view each : split(options, ',')) {
    if (each.size() > key.size() && each.substr(0, key.size()) == key && each[key.size()] == '=') {
      return unescape_mount(each.substr(key.size() + 1));
    }
  }
  return "";
}

bool is_device_number(std::string_view text) {
  const auto parts = split(text, ':');
  return parts.size() == 2 && whole_number<unsigned>(parts[0]) && whole_number<unsigned>(parts[1]);
}

/// "36 35 98:0 ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER_OPTIONS".
Result<Mount> parse_mount(std::string_view line) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) {
    return Error("not of the form of mountinfo: " + std::string(line));
  }
  if (!is_device_number(fields[2])) return Error("no device number: " + std::string(line));
  Mount mount{std::string(fields[2]), unescape_mount(fields[4]), std::string(dash[1]),
              unescape_mount(dash[2]), ""};
  if (mount.type == "overlay") mount.upper = option(dash[3], "upperdir");
  return mount;
}

bool shows(const Mount& mount, std::string_view path) {
  const std::string_view point = mount.point;
  if (point == "/") return true;
  if (path.substr(0, point.size()) != point) return false;
  return path.size() == point.size() || path[point.size()] == '/';
}

}  // namespace

Result<std::vector<Mount>> parse_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    if (line.empty()) continue;
    auto mount = parse_mount(line);
    if (!mount) return mount.error();
    mounts.push_back(std::move(mount.value()));
  }
  return mounts;
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* found = nullptr;
  for (const Mount& mount : mounts) {
    // Of two on one point the later hides the earlier.
    const bool deeper = found == nullptr || mount.point.size() >= found->point.size();
    if (deeper && shows(mount, path)) found = &mount;
  }
  return found;
}

Result<Schedulers> parse_schedulers(std::string_view text) {
  Schedulers schedulers;
  for (std::string_view word : words_of(text)) {
    const bool chosen = word.front() == '[';
    if (chosen != (word.back() == ']')) return Error("half a bracket");
    if (chosen) word = word.substr(1, word.size() - 2);
    if (word.empty()) return Error("an empty name");
    if (chosen && !schedulers.chosen.empty()) return Error("two are chosen");
    if (chosen) schedulers.chosen = word;
    schedulers.available.emplace_back(word);
  }
  if (schedulers.available.empty()) return Error("no scheduler");
  if (schedulers.chosen.empty() && schedulers.available.size() > 1) return Error("none is chosen");
  if (schedulers.chosen.empty()) schedulers.chosen = schedulers.available.front();
  return schedulers;
}

Result<KernelVersion> parse_kernel_version(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() < 2) return Error("no release number: " + std::string(text));
  const std::string_view second = parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
  const auto major = whole_number<int>(parts[0]);
  const auto minor = whole_number<int>(second);
  if (!major || !minor || *major < 0) return Error("no release number: " + std::string(text));
  return KernelVersion{*major, *minor};
}

}  // namespace lull::os
