#include "runner/cli/history.hpp"
#include "runner/os/errno_error.hpp"
#include "runner/os/fd.hpp"
#include "runner/store/store.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <functional>

namespace lull::cli {
namespace {

struct LogOf {
  RunId run = 0;
  std::string job;
  std::string path;
};

Result<LogOf> find_log(store::Store& store, const LogOptions& options) {
  return store::guarded([&]() -> LogOf {
    const std::optional<RunRecord> run =
        options.run ? store.run(*options.run) : store.newest_run(options.job);
    if (!run || run->job != options.job) return {};
    return {run->id, run->job, store.log_of(run->id).value_or("")};
  });
}

using Sink = std::function<void(std::string_view)>;

/// What has been read of a log that may be renamed to PATH.old under us when it is full.
class LogReader {
 public:
  LogReader(std::string path, Sink sink) : path_(std::move(path)), sink_(std::move(sink)) {}

  /// First the older half where there is one, then what the current file has so far.
  void read_all() {
    const os::Fd old(::open((path_ + ".old").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    copy(old);
    reopen();
    copy(file_);
  }

  /// What has come since.
  void read_more() {
    copy(file_);
    if (is_current()) return;
    reopen();
    copy(file_);
  }

 private:
  void reopen() { file_ = os::Fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)); }

  [[nodiscard]] bool is_current() const {
    struct stat ours {};
    struct stat named {};
    return ::fstat(file_.get(), &ours) == 0 && ::stat(path_.c_str(), &named) == 0 &&
           ours.st_ino == named.st_ino;
  }

  void copy(const os::Fd& from) const {
    if (!from) return;
    std::array<char, 65536> buffer{};
    for (ssize_t size = 0; (size = ::read(from.get(), buffer.data(), buffer.size())) > 0;) {
      sink_({buffer.data(), static_cast<std::size_t>(size)});
    }
  }

  std::string path_;
  Sink sink_;
  os::Fd file_;
};

/// The job's output belongs to people: escape sequences and all go through as they are.
void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool has_ended(const std::string& database, RunId run) {
  auto store = store::Store::open_for_reading(database);
  if (!store) return true;
  const auto record = store::guarded([&] { return store->run(run); });
  return !record || !*record || (*record)->ending.has_value();
}

/// Follows by inotify, and looks at the history when nothing has been written for a while.
Result<void> follow(LogReader& reader, const LogOf& log, const std::string& database) {
  const os::Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = log.path.substr(0, log.path.rfind('/'));
  if (!watch) return os::errno_error("watch " + folder);
  constexpr int kLookMs = 500;
  for (;;) {
    // The folder comes with the job's first output.
    if (::inotify_add_watch(watch.get(), folder.c_str(), IN_MODIFY | IN_MOVED_TO) < 0 &&
        errno != ENOENT) {
      return os::errno_error("watch " + folder);
    }
    const bool ended = has_ended(database, log.run);  // before the last read, not after it
    reader.read_more();
    if (ended) return {};
    pollfd ready{watch.get(), POLLIN, 0};
    ::poll(&ready, 1, kLookMs);
    std::array<char, 4096> events{};
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
}

}  // namespace

int run_log(const InstanceOptions& instance, const LogOptions& options) {
  const std::string database = paths_of(instance).database();
  auto store = store::Store::open_for_reading(database);
  const auto log = store ? find_log(*store, options) : Result<LogOf>(store.error());
  if (!log) return complain(log.error().what()), kFailed;
  if (log->run == 0 || log->path.empty()) {
    complain(options.run
                 ? "run " + std::to_string(*options.run) + " of " + options.job + " has no log"
                 : options.job + " has no run with a log");
    return kFailed;
  }
  std::string text;
  const Sink sink = options.json ? Sink([&](std::string_view part) { text += part; }) : Sink(print);
  LogReader reader(log->path, sink);
  reader.read_all();
  if (options.follow) {
    if (const auto followed = follow(reader, *log, database); !followed) {
      return complain(followed.error().what()), kFailed;
    }
  }
  if (options.json) {
    const nlohmann::ordered_json object{
        {"job", log->job}, {"run", log->run}, {"path", log->path}, {"text", text}};
    print(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  return kDone;
}

}  // namespace lull::cli
