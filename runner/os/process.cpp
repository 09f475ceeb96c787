#include "runner/os/process.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/kernel_text.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/read_file.hpp"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace lull::os {
namespace {

std::string proc_path(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + '/' + std::string(file);
}

/// Reads one of a process's files and hands its text on.
template <class Parse>
auto read_and_parse(pid_t pid, std::string_view file, Parse parse)
    -> decltype(parse(std::string_view())) {
  const std::string path = proc_path(pid, file);
  const auto text = read_file(path);
  if (!text) return text.error();
  auto parsed = parse(std::string_view(*text));
  if (!parsed) return parsed.error().within(path);
  return parsed;
}

/// The names in a folder that are numbers.
std::optional<std::vector<pid_t>> numbers_in(const std::string& folder) {
  const auto close = [](DIR* directory) { ::closedir(directory); };
  const std::unique_ptr<DIR, decltype(close)> directory(::opendir(folder.c_str()), close);
  if (!directory) return std::nullopt;
  std::vector<pid_t> numbers;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (const auto value = whole_number<pid_t>(entry->d_name)) numbers.push_back(*value);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  // The name may hold brackets itself, so it ends with the last one.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return Error("no name in brackets");
  }
  constexpr std::size_t kState = 0;  // field 3 of the manual page
  constexpr std::size_t kNice = 16;
  constexpr std::size_t kStartTime = 19;
  const auto words = words_of(text.substr(close + 1));
  if (words.size() <= kStartTime) return Error("fewer fields than starttime, the 22nd");
  const auto pid = whole_number<pid_t>(text.substr(0, open > 0 ? open - 1 : 0));
  const auto parent = whole_number<pid_t>(words[1]);
  const auto group = whole_number<pid_t>(words[2]);
  const auto session = whole_number<pid_t>(words[3]);
  const auto nice = whole_number<int>(words[kNice]);
  const auto start = whole_number<std::uint64_t>(words[kStartTime]);
  if (!pid || !parent || !group || !session || !nice || !start) {
    return Error("a field is no number");
  }
  return ProcessStat{*pid,
                     std::string(text.substr(open + 1, close - open - 1)),
                     words[kState].front(),
                     *parent,
                     *group,
                     *session,
                     *nice,
                     *start};
}

Result<std::optional<int>> parse_autogroup(std::string_view text) {
  const auto words = words_of(text);
  if (words.empty()) return std::optional<int>();
  const auto nice =
      words.size() >= 3 && words[1] == "nice" ? whole_number<int>(words[2]) : std::nullopt;
  if (!nice) return Error("not of the form \"/autogroup-N nice N\"");
  return nice;
}

Result<std::string> parse_process_cgroup(std::string_view text) {
  std::optional<std::string_view> unified;
  std::string_view cpu;
  for (const std::string_view line : lines_of(text)) {
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos)
      return Error("a line is not of the form \"N:NAMES:PATH\"");
    const std::string names = ',' + std::string(line.substr(first + 1, second - first - 1)) + ',';
    if (line.substr(0, second) == "0:") unified = line.substr(second + 1);
    if (names.find(",cpu,") != std::string::npos) cpu = line.substr(second + 1);
  }
  if (unified.value_or("/") == "/" && cpu.size() > 1) return success(std::string(cpu));
  if (!unified && cpu.empty()) return Error("neither a unified hierarchy nor one of cpu");
  return success(std::string(unified.value_or("/")));
}

Result<uid_t> parse_process_uid(std::string_view text) {
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2 || words[0] != "Uid:") continue;
    if (const auto uid = whole_number<uid_t>(words[1])) return *uid;
  }
  return Error("no line \"Uid:\"");
}

Result<ProcessStat> read_process_stat(pid_t pid) {
  return read_and_parse(pid, "stat", parse_process_stat);
}

Result<std::optional<int>> read_autogroup(pid_t pid) {
  auto nice = read_and_parse(pid, "autogroup", parse_autogroup);
  const bool no_file = !nice && nice.error().code() == ENOENT;
  if (no_file && ::access(proc_path(pid, "stat").c_str(), F_OK) == 0) return std::optional<int>();
  return nice;
}

Result<std::string> read_process_cgroup(pid_t pid) {
  return read_and_parse(pid, "cgroup", parse_process_cgroup);
}

Result<uid_t> read_process_uid(pid_t pid) {
  return read_and_parse(pid, "status", parse_process_uid);
}

bool is_gone(const Error& error) { return error.code() == ENOENT || error.code() == ESRCH; }

Result<std::vector<pid_t>> all_processes() {
  auto pids = numbers_in("/proc");
  if (!pids) return errno_error("open /proc");
  return std::move(*pids);
}

std::vector<pid_t> children_of(pid_t pid) {
  // A child belongs to the thread that made it (CONFIG_PROC_CHILDREN, on in every distribution).
  std::vector<pid_t> children;
  const std::string tasks = proc_path(pid, "task");
  for (const pid_t thread : threads_of(pid)) {
    const auto text = read_file(tasks + '/' + std::to_string(thread) + "/children");
    if (!text) continue;
    for (const std::string_view word : words_of(*text)) {
      if (const auto child = whole_number<pid_t>(word)) children.push_back(*child);
    }
  }
  return children;
}

std::vector<pid_t> threads_of(pid_t pid) {
  return numbers_in(proc_path(pid, "task")).value_or(std::vector<pid_t>());
}

pid_t main_child_of(pid_t pid) {
  const auto children = children_of(pid);
  return children.empty() ? 0 : children.front();
}

Result<ProcessIdentity> identify_process(pid_t pid) {
  const auto stat = read_process_stat(pid);
  if (!stat) return stat.error();
  const auto boot = boot_id();
  if (!boot) return boot.error();
  return ProcessIdentity{pid, stat.value().start_time, *boot};
}

Fd open_process(const ProcessIdentity& process) {
  // First the pidfd, then the look at who it is: the pid cannot change hands in between.
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd) return {};
  const auto now = identify_process(process.pid);
  return now && *now == process ? std::move(fd) : Fd();
}

}  // namespace lull::os
