#pragma once

#include "jobs/run.hpp"
#include "jobs/spec.hpp"
#include "runner/os/run_file.hpp"
#include "runner/supervisor/driver.hpp"
#include "runner/supervisor/launcher.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lull::supervisor {

/// Runs the programs that tell whether a due run may start. Each is run as the job would be, by its
/// user and in its environment, under a keeper that ends it, and all that it started, when it takes
/// longer than a minute. What it prints is in the file `check.log` beside the job's logs.
class Asker {
 public:
  /// How long an answer is taken for true: a program is not run again before.
  static constexpr std::chrono::minutes kHolds{5};

  /// `launcher` and `files` must outlive it. `on_answer` is called on the loop.
  Asker(boost::asio::any_io_executor loop, const Launcher& launcher, const os::RunFiles& files,
        std::function<void()> on_answer);
  ~Asker();
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  struct Answer {
    std::optional<Ending> ending;  ///< none: it has not answered
    Duration holds{0};             ///< when to ask again
  };

  /// How `argv` ended that was run for this run of `spec`. It is run now if it never was, or too
  /// long ago; the last answer stands until the next is there.
  Answer ask(const JobSpec& spec, const RunRecord& run, const std::vector<std::string>& argv);

  /// Forgets what was not asked since the last call.
  void drop_unasked();
  /// What was true before a sleep need not be so any more.
  void forget_answers();

 private:
  struct Question;
  using Key = std::pair<RunId, std::vector<std::string>>;

  boost::asio::awaitable<void> put(std::shared_ptr<Question> question, JobSpec spec, RunRecord run);
  boost::asio::awaitable<Ending> answer(const JobSpec& spec, RunRecord run);
  [[nodiscard]] Result<Launched> launch(const JobSpec& spec, const RunRecord& run) const;

  boost::asio::any_io_executor loop_;
  const Launcher* launcher_;
  const os::RunFiles* files_;
  std::function<void()> on_answer_;
  std::map<Key, std::shared_ptr<Question>> questions_;
};

}  // namespace lull::supervisor
