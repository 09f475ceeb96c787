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
                   store::StoreThread& store, std::function<void()> reload)
    : zone_(&zone),
      jobs_(&jobs),
      runs_(&runs),
      scheduler_(&scheduler),
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
  co_await send(status_line(request.job));
}

std::string Commands::status_line(const std::string& only) const {
  Json all = Json::array();
  for (const auto& [name, job] : jobs_->all()) {
    if (!only.empty() && name != only) continue;
    const ActiveRunPtr run = runs_->of_job(name);
    all.push_back(job_status(job, run.get(), scheduler_->next(name), *zone_));
  }
  return line({{"status", std::move(all)}}, true);
}

asio::awaitable<void> Commands::why(Request request, Send send) {
  const JobEntry* job = jobs_->find(request.job);
  if (job == nullptr) {
    co_await send(error_line("there is no job " + request.job));
    co_return;
  }
  const ActiveRunPtr run = runs_->of_job(request.job);
  const auto next = scheduler_->next(request.job);
  Json status = job_status(*job, run.get(), next, *zone_);
  std::vector<std::string> sentences;
  if (run) sentences = co_await runs_->why(run);
  // The job may be gone from the table by now, its status is not.
  const JobEntry* still = jobs_->find(request.job);
  if (sentences.empty() && still != nullptr) {
    sentences = because(*still, run.get(), next, *zone_);
  }
  status["because"] = std::move(sentences);
  co_await send(why_line(status));
}

/// By hand: gates and max_concurrent do not count, a run that is under way does.
asio::awaitable<Result<ActiveRunPtr>> Commands::start_by_hand(const JobEntry* job) {
  const std::string name = job->name;
  if (!job->spec) co_return Error(name + " has no valid definition: see `lull check`");
  if (const ActiveRunPtr current = runs_->of_job(name)) {
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

}  // namespace lull::supervisor
