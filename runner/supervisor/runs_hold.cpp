// Runs that stand still for somebody beside the loop.
#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/runs.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

/// The lull that has the loop answers at once, if at all.
constexpr std::chrono::seconds kLoopAnswers{2};

bool stands_still(const ActiveRun& run) {
  return run.holds.reason() && run.spec->priority.pause != PauseMethod::never;
}

}  // namespace

void Runs::hold(ActiveRun& run, Holder by, std::optional<std::string> reason) {
  const auto before = run.holds.reason();
  const bool stood_still = stands_still(run);
  run.holds.set(by, std::move(reason));
  const auto now = run.holds.reason();
  // It may stand still for days: others take its place, and it has it back whoever else runs then.
  if (stands_still(run) != stood_still) take_place(run, stood_still ? 1 : -1);
  if (now == before || !run.driven) return;  // the loop hears of it when it gets the run
  run.asked_loop_to_hold = now.has_value() != before.has_value();
  drive_.hold(static_cast<RunKey>(run.record.id), now);
}

void Runs::hold_each(Holder by, const ToHold& to_hold) {
  for (const auto& [id, run] : active_) {
    if (run->state != ActiveRun::State::due) hold(*run, by, to_hold(*run));
  }
}

void Runs::stop_each(const ToHold& to_stop) {
  for (const auto& [id, run] : active_) {
    if (run->state == ActiveRun::State::due || run->stopping) continue;
    auto reason = to_stop(*run);
    if (!reason) continue;
    run->stopped_because = std::move(*reason);
    spdlog::info("job={} run={} stopped ({})", run->record.job, id, run->stopped_because);
    stop(*run);
  }
}

bool Runs::awaits_loop(std::string_view job) const {
  return std::any_of(active_.begin(), active_.end(), [&](const auto& one) {
    const ActiveRun& run = *one.second;
    return run.asked_loop_to_hold && run.driven && (job.empty() || run.record.job == job);
  });
}

asio::awaitable<void> Runs::holds_took_effect(std::string job) {
  const auto give_up = steady_clock::now() + kLoopAnswers;
  while (awaits_loop(job) && steady_clock::now() < give_up) {
    const auto news = std::make_shared<asio::steady_timer>(loop_, give_up);
    on_news_.push_back(news);
    co_await news->async_wait(kNoThrow);
  }
}

}  // namespace lull::supervisor
