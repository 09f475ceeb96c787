#include "runner/supervisor/asker.hpp"

#include "runner/os/machine.hpp"
#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/readable.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fcntl.h>

#include <exception>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::minutes kPatience{1};
constexpr std::chrono::seconds kStopPatience{5};

/// The job with `argv` in place of its command. Not at its level: where that starves, as it may, no
/// answer would come and so the job never start.
JobSpec asking(JobSpec spec, const std::vector<std::string>& argv) {
  spec.what = Command{argv};
  spec.success_exit_codes = {0};
  spec.priority = PrioritySpec{Policy::important, levels_of(Policy::important), {}};
  spec.limits = Limits{};
  spec.limits.timeout = kPatience;
  spec.limits.stop_timeout = kStopPatience;
  return spec;
}

/// A number that no run has, also none of a supervisor before us whose keeper is still there.
RunId question_number() { return -os::now().time_since_epoch().count(); }

Ending not_started(const Error& error) {
  Ending ending;
  ending.at = os::now();
  ending.outcome = Outcome::spawn_failed;
  ending.detail = error.what();
  return ending;
}

}  // namespace

struct Asker::Question {
  std::optional<Ending> ending;
  Instant answered{0};
  bool asking = false;
  bool wanted = true;

  [[nodiscard]] Duration holds() const { return answered + kHolds - steady_now(); }
};

Asker::Asker(asio::any_io_executor loop, const Launcher& launcher, const os::RunFiles& files,
             std::function<void()> on_answer)
    : loop_(std::move(loop)),
      launcher_(&launcher),
      files_(&files),
      on_answer_(std::move(on_answer)) {}

Asker::~Asker() = default;

Asker::Answer Asker::ask(const JobSpec& spec, const RunRecord& run,
                         const std::vector<std::string>& argv) {
  auto& question = questions_[{run.id, argv}];
  if (!question) question = std::make_shared<Question>();
  question->wanted = true;
  if (question->ending && question->holds() > Duration(0)) {
    return {question->ending, question->holds()};
  }
  if (!std::exchange(question->asking, true)) {
    asio::co_spawn(loop_, put(question, asking(spec, argv), run), log_exit("a job's check failed"));
  }
  // That it was let through before does not let it through now.
  const bool refused = question->ending && question->ending->outcome != Outcome::success;
  return {refused ? question->ending : std::nullopt, Duration(0)};
}

void Asker::drop_unasked() {
  std::erase_if(questions_, [](auto& each) { return !std::exchange(each.second->wanted, false); });
}

void Asker::forget_answers() { questions_.clear(); }

Result<Launched> Asker::launch(const JobSpec& spec, const RunRecord& run) const {
  LaunchOptions options;
  options.stop_with_supervisor = true;
  options.log_name = "check";
  return launcher_->launch(spec, run, options);
}

asio::awaitable<void> Asker::put(std::shared_ptr<Question> question, JobSpec spec, RunRecord run) {
  try {
    question->ending = co_await answer(spec, run);
  } catch (const std::exception& problem) {
    question->ending = not_started(Error(problem.what()));
  }
  question->answered = steady_now();
  question->asking = false;
  on_answer_();
}

asio::awaitable<Ending> Asker::answer(const JobSpec& spec, RunRecord run) {
  run.id = question_number();
  const auto launched = launch(spec, run);
  if (!launched) co_return not_started(launched.error());
  co_await wait_for_end(loop_, launched->keeper.pidfd.get());
  Ending ending = files_->ending_of(run.id);
  files_->remove(run.id);
  co_return ending;
}

}  // namespace lull::supervisor
