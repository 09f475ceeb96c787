#include "runner/os/run_file.hpp"

#include "runner/os/errno_error.hpp"
#include "runner/os/machine.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>

namespace lull::os {
namespace {

constexpr std::string_view kVersion = "lull-run 1\n";

using Fields = std::map<std::string_view, std::string_view>;

/// The lines of a run's file, in which unknown keys are no error.
struct Lines {
  Fields fields;
  bool ended = false;  ///< the last one, "end", is there
};

Result<Lines> parse_lines(std::string_view text) {
  if (!text.starts_with(kVersion)) return Error("not a run's file of this version");
  text.remove_prefix(kVersion.size());
  Lines lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    lines.ended = line == "end";
    if (lines.ended) break;
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return Error("a line is not KEY VALUE");
    lines.fields.emplace(line.substr(0, blank), line.substr(blank + 1));
  }
  return lines;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
std::optional<T> number(const Fields& fields, std::string_view key) {
  const auto found = fields.find(key);
  return found == fields.end() ? std::nullopt : number<T>(found->second);
}

TimePoint time_of(const Fields& fields, std::string_view key) {
  return TimePoint(Duration(number<std::int64_t>(fields, key).value_or(0)));
}

/// "exec: No such file or directory; left 2 processes behind".
std::string describe(const Fields& fields) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (const auto stage = fields.find("stage"); stage != fields.end()) {
    add(std::string(stage->second) + ": " +
        std::generic_category().message(number<int>(fields, "errno").value_or(0)));
  }
  const auto counted = [&](std::string_view key, const std::string& what) {
    const auto count = number<std::uint64_t>(fields, key).value_or(0);
    if (count > 0) add(std::to_string(count) + what);
  };
  counted("left_behind", " left-over processes ended");
  counted("unkillable", " processes could not be ended");
  counted("oom_kills", " processes killed by the kernel: out of memory");
  counted("dropped_bytes", " bytes of output could not be written");
  return text;
}

Result<ProcessIdentity> keeper_of(const Fields& fields) {
  const auto boot = fields.find("boot");
  const auto keeper = fields.find("keeper");
  if (boot == fields.end() || keeper == fields.end()) return Error("the claim is cut short");
  const std::size_t blank = keeper->second.find(' ');
  if (blank == std::string_view::npos) return Error("keeper is not PID START");
  const auto pid = number<pid_t>(keeper->second.substr(0, blank));
  const auto start = number<std::uint64_t>(keeper->second.substr(blank + 1));
  if (!pid || !start) return Error("keeper is not PID START");
  return ProcessIdentity{*pid, *start, std::string(boot->second)};
}

Result<KeeperOutcome> outcome_of(const Fields& fields) {
  const auto name = fields.find("outcome");
  if (name == fields.end()) return Error("outcome is missing");
  const auto outcome = parse_outcome(name->second);
  if (!outcome) return outcome.error();
  KeeperOutcome result;
  result.started = time_of(fields, "started_us");
  result.ending.at = time_of(fields, "ended_us");
  result.ending.outcome = *outcome;
  result.ending.exit_code = number<int>(fields, "exit_code");
  result.ending.signal = number<int>(fields, "signal");
  result.ending.usage.cpu = Duration(number<std::int64_t>(fields, "cpu_us").value_or(0));
  result.ending.usage.read.count = number<std::uint64_t>(fields, "read_bytes").value_or(0);
  result.ending.usage.written.count = number<std::uint64_t>(fields, "written_bytes").value_or(0);
  result.ending.detail = describe(fields);
  return result;
}

}  // namespace

Result<ClaimedRun> parse_run_file(std::string_view text) {
  const auto lines = parse_lines(text);
  if (!lines) return lines.error();
  auto keeper = keeper_of(lines->fields);
  if (!keeper) return keeper.error();
  ClaimedRun run{std::move(*keeper), std::nullopt};
  if (!lines->ended) return run;
  auto outcome = outcome_of(lines->fields);
  if (!outcome) return outcome.error();
  run.outcome = std::move(*outcome);
  return run;
}

Result<RunFiles> RunFiles::open(const std::string& state_folder) {
  const std::string path = state_folder + "/runs";
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("make " + path);
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder) return errno_error("open " + path);
  return RunFiles(std::move(folder), path);
}

std::string RunFiles::path(RunId run) const { return path_ + "/" + std::to_string(run); }

Result<std::optional<ClaimedRun>> RunFiles::read(RunId run) const {
  const std::string name = std::to_string(run);
  const Fd fd(::openat(folder_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::optional<ClaimedRun>();
  if (!fd) return errno_error("open " + path(run));
  std::array<char, 4096> buffer{};  // as much as a keeper reserves
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return errno_error("read " + path(run));
  auto claimed = parse_run_file({buffer.data(), static_cast<std::size_t>(size)});
  if (!claimed) return claimed.error().within(path(run));
  return std::optional(std::move(*claimed));
}

Ending RunFiles::ending_of(RunId run) const {
  const auto claimed = read(run);
  if (claimed && *claimed && (*claimed)->outcome) return (*claimed)->outcome->ending;
  Ending ending;
  ending.at = now();
  ending.outcome = Outcome::interrupted;
  ending.detail = claimed ? "its keeper ended without an outcome" : claimed.error().what();
  return ending;
}

std::vector<RunId> RunFiles::list() const {
  std::vector<RunId> runs;
  std::error_code ignored;  // an unreadable folder has nothing to tidy
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename();
    if (const auto run = number<RunId>(name)) runs.push_back(*run);
  }
  return runs;
}

void RunFiles::remove(RunId run) const {
  ::unlinkat(folder_.get(), std::to_string(run).c_str(), 0);
}

}  // namespace lull::os
