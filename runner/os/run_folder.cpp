#include "runner/os/run_folder.hpp"

#include "runner/os/errno_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>

namespace lull::os {
namespace {

using Fields = std::map<std::string_view, std::string_view>;

/// "VERSION LINE\nkey value\n…end\n". Unknown keys are no error, a missing end is.
Result<Fields> parse_fields(std::string_view text, std::string_view version) {
  Fields fields;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return Error("the last line is cut");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == "end") return fields;
    if (first && line != version) return Error("not a file of this version");
    if (!first) {
      const std::size_t blank = line.find(' ');
      if (blank == std::string_view::npos) return Error("a line is not KEY VALUE");
      fields.emplace(line.substr(0, blank), line.substr(blank + 1));
    }
    first = false;
  }
  return Error("the end is missing");
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
  counted("dropped_bytes", " bytes of output could not be written");
  return text;
}

}  // namespace

Result<ProcessIdentity> parse_started(std::string_view text) {
  const auto fields = parse_fields(text, "lull-started 1");
  if (!fields) return fields.error();
  const auto boot = fields->find("boot");
  const auto keeper = fields->find("keeper");
  if (boot == fields->end() || keeper == fields->end()) return Error("a key is missing");
  const std::size_t blank = keeper->second.find(' ');
  if (blank == std::string_view::npos) return Error("keeper is not PID START");
  const auto pid = number<pid_t>(keeper->second.substr(0, blank));
  const auto start = number<std::uint64_t>(keeper->second.substr(blank + 1));
  if (!pid || !start) return Error("keeper is not PID START");
  return ProcessIdentity{*pid, *start, std::string(boot->second)};
}

Result<KeeperOutcome> parse_outcome_file(std::string_view text) {
  const auto fields = parse_fields(text, "lull-outcome 1");
  if (!fields) return fields.error();
  const auto name = fields->find("outcome");
  if (name == fields->end()) return Error("outcome is missing");
  const auto outcome = parse_outcome(name->second);
  if (!outcome) return outcome.error();
  KeeperOutcome result;
  result.started = time_of(*fields, "started_us");
  result.ending.at = time_of(*fields, "ended_us");
  result.ending.outcome = *outcome;
  result.ending.exit_code = number<int>(*fields, "exit_code");
  result.ending.signal = number<int>(*fields, "signal");
  result.ending.usage.cpu = Duration(number<std::int64_t>(*fields, "cpu_us").value_or(0));
  result.ending.usage.read.count = number<std::uint64_t>(*fields, "read_bytes").value_or(0);
  result.ending.usage.written.count = number<std::uint64_t>(*fields, "written_bytes").value_or(0);
  result.ending.detail = describe(*fields);
  return result;
}

Result<RunFolders> RunFolders::open(const std::string& state_folder) {
  const std::string path = state_folder + "/runs";
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("make " + path);
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!folder) return errno_error("open " + path);
  return RunFolders(std::move(folder), path);
}

std::string RunFolders::path(RunId run) const { return path_ + "/" + std::to_string(run); }

Result<void> RunFolders::make(RunId run) const {
  if (::mkdirat(folder_.get(), std::to_string(run).c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("make " + path(run));
  }
  return {};
}

Result<std::optional<std::string>> RunFolders::read(RunId run, std::string_view name) const {
  const std::string file = std::to_string(run) + "/" + std::string(name);
  const Fd fd(::openat(folder_.get(), file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::optional<std::string>();
  if (!fd) return errno_error("open " + path_ + "/" + file);
  std::array<char, 4096> buffer{};  // as much as a keeper reserves
  const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
  if (size < 0) return errno_error("read " + path_ + "/" + file);
  return std::optional(std::string(buffer.data(), static_cast<std::size_t>(size)));
}

Result<std::optional<ProcessIdentity>> RunFolders::started(RunId run) const {
  const auto text = read(run, "started");
  if (!text) return text.error();
  if (!*text) return std::optional<ProcessIdentity>();
  const auto identity = parse_started(**text);
  if (!identity) return identity.error().within(path(run) + "/started");
  return std::optional(*identity);
}

Result<std::optional<KeeperOutcome>> RunFolders::outcome(RunId run) const {
  const auto text = read(run, "outcome");
  if (!text) return text.error();
  if (!*text) return std::optional<KeeperOutcome>();
  const auto outcome = parse_outcome_file(**text);
  if (!outcome) return outcome.error().within(path(run) + "/outcome");
  return std::optional(*outcome);
}

std::vector<RunId> RunFolders::list() const {
  std::vector<RunId> runs;
  std::error_code ignored;  // an unreadable folder has nothing to tidy
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename();
    if (const auto run = number<RunId>(name)) runs.push_back(*run);
  }
  return runs;
}

void RunFolders::remove(RunId run) const {
  const std::string folder = std::to_string(run);
  for (const char* name : {"/started", "/outcome", "/outcome.part"}) {
    ::unlinkat(folder_.get(), (folder + name).c_str(), 0);
  }
  ::unlinkat(folder_.get(), folder.c_str(), AT_REMOVEDIR);
}

}  // namespace lull::os
