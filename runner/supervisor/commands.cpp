#include "runner/supervisor/commands.hpp"

#include "runner/os/machine.hpp"
#include "runner/supervisor/record_json.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

// The answers' lines. Made here and not where they are sent, since g++ 12 cannot compile a braced
// list inside a co_await.

std::string line(const Json& object, bool last) {
  Json answer{{"protocol", kProtocol}, {"ok", true}};
  answer.update(object);
  if (last) answer["last"] = true;
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string done_line() { return line(Json::object(), true); }

std::string started_line(const ActiveRun& run, bool last) {
  return line({{"run", run.record.id}, {"pid", run.main_pid}}, last);
}

std::string why_line(const Json& status) { return line({{"why", status}}, true); }

std::string failure_of(const ActiveRun& run) {
  const Ending& ending = *run.record.ending;
  return "run " + std::to_string(run.record.id) + " of " + run.record.job + ": " +
         std::string(to_string(ending.outcome)) +
         (ending.detail.empty() ? "" : " (" + ending.detail + ")");
}

std::string ended_line(const ActiveRun& run, const Zone& zone) {
  return line({{"record", record_json(run.record, zone)}}, true);
}

/// Waits until a change of the store is durable.
asio::awaitable<std::optional<Error>> committed(store::StoreThread& store,
                                                store::StoreThread::Work work) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::optional<Error>)>(
      [&store](auto handler, store::StoreThread::Work&& todo) {
        // std::function copies what it holds and a handler can only be moved.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        store.submit(std::move(todo),
                     [shared](const std::optional<Error>& error) { std::move (*shared)(error); });
      },
      asio::use_awaitable, std::move(work));
}

}  // namespace

Commands::Commands(const Zone& zone, JobTable& jobs, Runs& runs, Scheduler& scheduler,
                   Pauses& pauses, store::StoreThread& store, std::function<void()> reload)
    : zone_(&zone),
      jobs_(&jobs),
      runs_(&runs),
      scheduler_(&scheduler),
      pauses_(&pauses),
      store_(&store),
      reload_(std::move(reload)) {}

asio::awaitable<void> Commands::answer(Request request, Send send) {
  switch (request.verb) {
    case Verb::status:
      co_return co_await status(std::move(request), std::move(send));
    case Verb::why:
      co_return co_await why(std::move(request), std::move(send));
    case Verb::start:
      co_return co_await start(std::move(request), std::move(send));
    case Verb::stop:
      co_return co_await stop(std::move(request), std::move(send));
    case Verb::pause:
      co_return co_await pause(std::move(request), std::move(send));
    case Verb::resume:
      co_return co_await resume(std::move(request), std::move(send));
    case Verb::reload:
      reload_();
      co_await send(done_line());
  }
}

asio::awaitable<void> Commands::status(Request request, Send send) {
  if (!request.job.empty() && jobs_->find(request.job) == nullptr) {
    co_await send(error_line("there is no job " + request.job));
    co_return;
  }
  Json answer{{"status", status_of(request.job)}};
  co_await send(line(answer, true));
}

Json Commands::status_of(const std::string& only) const {
  Json all = Json::array();
  for (const auto& [name, job] : jobs_->all()) {
    if (!only.empty() && name != only) continue;
    const ActiveRunPtr run = runs_->of_job(name);
    all.push_back(job_status(now_of(job, run.get()), *zone_));
  }
  return all;
}

JobNow Commands::now_of(const JobEntry& job, const ActiveRun* run) const {
  return {job, run, run != nullptr ? runs_->waits_for(*run) : std::vector<Waiting>(),
          scheduler_->next(job.name), pauses_->of(job.name)};
}

asio::awaitable<void> Commands::why(Request request, Send send) {
  const JobEntry* job = jobs_->find(request.job);
  if (job == nullptr) {
    co_await send(error_line("there is no job " + request.job));
    co_return;
  }
  const ActiveRunPtr run = runs_->of_job(request.job);
  Json status = job_status(now_of(*job, run.get()), *zone_);
  std::vector<std::string> sentences;
  if (run) sentences = co_await runs_->why(run);
  if (!sentences.empty() && pauses_->of(request.job)) {
    std::erase(sentences, kPausedByHand);  // said better here
    const auto first = pause_sentences(*run);
    sentences.insert(sentences.begin(), first.begin(), first.end());
  }
  // The job may be gone from the table by now, its status is not.
  const JobEntry* still = jobs_->find(request.job);
  if (sentences.empty() && still != nullptr) {
    sentences = because(now_of(*still, run.get()), *zone_);
  }
  status["because"] = std::move(sentences);
  co_await send(why_line(status));
}

/// By hand: gates and max_concurrent do not count, a run that is under way does. One that is due is
/// started now, and so its slot is dealt with.
asio::awaitable<Result<ActiveRunPtr>> Commands::start_by_hand(const JobEntry* job) {
  const std::string name = job->name;
  if (!job->spec) co_return Error(name + " has no valid definition: see `lull check`");
  if (const ActiveRunPtr current = runs_->of_job(name)) {
    if (runs_->start_now(current)) co_return current;
    co_return Error(name + " is under way already (run " + std::to_string(current->record.id) +
                    ")");
  }
  if (!starting_.insert(name).second) co_return Error(name + " is being started already");
  RunRecord run;
  run.job = name;
  run.slot = os::now();
  run.trigger = Trigger::manual;
  const auto spec = job->spec;
  auto id = std::make_shared<std::optional<RunId>>();
  // Named, not a temporary in the co_await: g++ 12 destroys such a closure twice.
  store::StoreThread::Work add = [run, id](store::Store& store) {
    *id = store.add_run(run, store::Owner::daemon);
  };
  const auto error = co_await committed(*store_, std::move(add));
  starting_.erase(name);
  if (error) co_return *error;
  run.id = id->value();
  co_return runs_->add(std::move(run), spec, true);
}

asio::awaitable<void> Commands::start(Request request, Send send) {
  const JobEntry* job = jobs_->find(request.job);
  if (job == nullptr) {
    co_await send(error_line("there is no job " + request.job));
    co_return;
  }
  const auto started = co_await start_by_hand(job);
  if (!started) {
    co_await send(error_line(started.error().what()));
    co_return;
  }
  const ActiveRunPtr& run = *started;
  while (run->state == ActiveRun::State::starting && !run->ended()) {
    co_await run->wait_for_change();
  }
  // Whoever gets the answer may ask `lull log` and `lull history` next.
  store::StoreThread::Work nothing = [](store::Store&) {};
  (void)co_await committed(*store_, std::move(nothing));
  const bool there_is_no_job = run->ended() && run->main_pid == 0;
  if (there_is_no_job && !request.wait) {
    co_await send(error_line(failure_of(*run)));
    co_return;
  }
  co_await send(started_line(*run, !request.wait));
  if (!request.wait) co_return;
  while (!run->closed)
    co_await run->wait_for_change();
  co_await send(ended_line(*run, *zone_));
}

asio::awaitable<void> Commands::stop(Request request, Send send) {
  const ActiveRunPtr run = runs_->of_job(request.job);
  if (!run) {
    // Named: of a choice inside a co_await g++ 12 destroys what was not chosen, too.
    const std::string problem = jobs_->find(request.job) == nullptr
                                    ? "there is no job " + request.job
                                    : request.job + " is not running";
    co_await send(error_line(problem));
    co_return;
  }
  runs_->stop(*run);
  while (!run->closed)
    co_await run->wait_for_change();
  co_await send(ended_line(*run, *zone_));
}

/// What a running job's pause does to its run.
std::vector<std::string> Commands::pause_sentences(const ActiveRun& run) const {
  const auto pause = pauses_->of(run.record.job);
  if (!pause) return {};
  std::vector<std::string> sentences{describe(*pause, *zone_)};
  if (!run.holds.reason())
    sentences.emplace_back("this run was started by hand since, and goes on");
  return sentences;
}

asio::awaitable<void> Commands::pause(Request request, Send send) {
  if (!request.job.empty() && jobs_->find(request.job) == nullptr) {
    co_await send(error_line("there is no job " + request.job));
    co_return;
  }
  const HandPause pause{os::now(), request.until};
  if (pause.until && *pause.until <= pause.since) {
    co_await send(error_line("the pause would have ended already"));
    co_return;
  }
  store::StoreThread::Work record = pauses_->pause(request.job, pause);
  std::string done = describe(pause, *zone_);
  const std::string answer =
      co_await paused_answer(std::move(request.job), std::move(done), std::move(record));
  co_await send(answer);
}

/// Why a job cannot be resumed; empty: it can be.
std::string Commands::no_resume(const std::string& job) const {
  if (job == kAllJobs || pauses_->has_own(job)) return "";
  if (jobs_->find(job) == nullptr) return "there is no job " + job;
  if (!pauses_->has_own(kAllJobs)) return "";
  return job + " is paused with all jobs: end that with `lull resume`";
}

asio::awaitable<void> Commands::resume(Request request, Send send) {
  if (const std::string problem = no_resume(request.job); !problem.empty()) {
    co_await send(error_line(problem));
    co_return;
  }
  const bool was_paused = request.job == kAllJobs || pauses_->has_own(request.job);
  store::StoreThread::Work record = pauses_->resume(request.job);
  const auto still = pauses_->of(request.job);
  std::string done = !was_paused ? "not paused by hand"
                     : still
                         ? "its own pause has ended, " + describe(*still, *zone_) + " with all jobs"
                         : "no longer paused by hand";
  const std::string answer =
      co_await paused_answer(std::move(request.job), std::move(done), std::move(record));
  co_await send(answer);
}

/// The answer once what was done is durable and the loop has heard of it.
asio::awaitable<std::string> Commands::paused_answer(std::string job, std::string done,
                                                     store::StoreThread::Work record) {
  const auto error = co_await committed(*store_, std::move(record));
  if (error) {
    co_return error_line(done +
                         ", but a restart of the supervisor will undo that: " + error->what());
  }
  co_await runs_->holds_took_effect(job);
  Json answer{{"done", done}};
  answer["status"] = status_of(job);
  co_return line(answer, true);
}

}  // namespace lull::supervisor
