#include "runner/cli/attended.hpp"

#include "runner/cli/instance.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/run_processes.hpp"
#include "runner/supervisor/coroutine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace lull::cli {
namespace {

/// How long a job that was spoken to is left alone.
constexpr std::chrono::seconds kAddressed{2};

}  // namespace

Attended::Attended(const Parts& parts)
    : parts_(parts),
      providers_(parts.loop.get_executor(), [] {}),
      drive_(parts.loop.get_executor(), parts.runtime_dir, parts.foreground,
             [this](const supervisor::Change& change) { changed(change.level); }),
      quiet_(parts.loop) {
  drive_.set_user_away(supervisor::user_away_of(providers_));
}

void Attended::reported(std::span<const keeper::Report> reports) {
  for (; reported_ < reports.size(); ++reported_)
    take(reports[reported_], reports);
}

/// Whoever is spoken to must not be frozen: the loop gets the run back when it has been quiet.
void Attended::addressed() {
  if (!run_) return;
  if (!std::exchange(spoken_to_, true)) take_out();
  quiet_.expires_after(kAddressed);
  quiet_.async_wait([this](const boost::system::error_code& error) {
    // A wait that was over before it was made longer comes all the same.
    if (error || !run_ || quiet_.expiry() > std::chrono::steady_clock::now()) return;
    spoken_to_ = false;
    run_->fresh = false;
    drive_.add(*run_);
  });
}

/// The loop goes to whoever needs it before anything else is waited for: a terminal, or a disk.
void Attended::ended() {
  ended_ = true;
  quiet_.cancel();
  if (run_ && !spoken_to_) take_out();
  run_.reset();
  // Another lull that has the loop answers at once, or it is gone.
  parts_.loop.restart();
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (leaving_ > 0 && parts_.loop.run_one_until(give_up) > 0) {
  }
  drive_.leave();
}

void Attended::take(const keeper::Report& news, std::span<const keeper::Report> all) {
  using Kind = keeper::Report::Kind;
  if (news.kind == Kind::placing) {
    boost::asio::co_spawn(parts_.loop, parts_.scopes.place(parts_.launched, news.pid),
                          supervisor::log_exit("putting a job into its scope failed"));
  } else if (news.kind == Kind::spawn_failed) {
    failed_ = news;
    complain(describe_failure(parts_.launched, news));
  } else if (news.kind == Kind::running || news.kind == Kind::autogroup_set) {
    const SpawnPlan& plan = parts_.launched.plan;
    changed({os::now(), plan.state, to_string(plan.level), describe_applied(parts_.launched, all),
             plan.level_reason});
  }
  if (news.kind == Kind::running) drive(news.pid);
}

void Attended::changed(const LevelChange& level) {
  parts_.record.add_level(parts_.run.id, level);
  if (!parts_.verbose) return;
  std::fprintf(stderr, "lull: %s: %s%s", level.level.c_str(), level.reason.c_str(),
               parts_.raw_terminal ? "\r\n" : "\n");
}

void Attended::drive(pid_t main) {
  // In a job of lull's it goes with that job, and must not freeze it: it would freeze itself.
  if (ended_ || os::belongs_to_run(::getpid())) return;
  const auto keeper = os::identify_process(parts_.launched.keeper.pid);
  if (!keeper) return;  // it has ended already
  run_ = parts_.launcher.driven(parts_.spec, parts_.run, *keeper, main, parts_.launched.plan.state);
  drive_.add(*run_);
}

void Attended::take_out() {
  ++leaving_;
  drive_.remove(run_->key, [this](Duration paused) {
    --leaving_;
    paused_ += paused;
  });
}

}  // namespace lull::cli
