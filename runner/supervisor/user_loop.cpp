#include "runner/supervisor/user_loop.hpp"

#include "runner/os/instance_lock.hpp"
#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/local_socket.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

/// Between two tries to find the process with the lock, which may just be starting or ending.
constexpr std::chrono::milliseconds kTryAgain{50};
/// Where it does neither in a second: it may have no socket, and lets go of the lock when it ends.
constexpr std::chrono::milliseconds kTryLater{2000};
constexpr int kMostSoon = 20;

}  // namespace

UserLoop::UserLoop(asio::any_io_executor executor, std::string runtime_dir,
                   const ForegroundSettings& settings, OnChange on_change)
    : executor_(std::move(executor)),
      runtime_dir_(std::move(runtime_dir)),
      settings_(settings),
      on_change_(std::move(on_change)),
      again_(executor_) {}

UserLoop::~UserLoop() {
  *alive_ = false;
  leave();
}

void UserLoop::set_settings(const ForegroundSettings& settings) {
  settings_ = settings;
  if (server_) server_->set_settings(settings);
}

void UserLoop::set_user_away(Driver::UserAway source) {
  user_away_ = std::move(source);
  if (server_) server_->set_user_away(user_away_);
}

// --- this process's runs

void UserLoop::add(DrivenRun run) {
  const RunKey key = run.key;
  Mine before = std::exchange(mine_[key], Mine{run, Duration(0), Duration(0), {}});
  if (before.on_removed) before.on_removed(before.paused);  // it came back before it was gone
  if (server_) {
    server_->add(run);
  } else if (leader_) {
    leader_->send(encode(AddRun{std::move(run)}));
  } else {
    take_part();
  }
}

void UserLoop::remove(RunKey key, std::function<void(Duration)> done) {
  const auto found = mine_.find(key);
  if (found == mine_.end()) return done(Duration(0));
  found->second.on_removed = std::move(done);
  if (server_) {
    finish(key, found->second.paused_before + server_->remove(key));
  } else if (leader_) {
    leader_->send(encode(RemoveRun{key}));
  } else {
    finish(key, found->second.paused);
  }
}

/// Whoever gets the loop next hears of it with the run.
void UserLoop::hold(RunKey key, const std::optional<std::string>& reason) {
  const auto found = mine_.find(key);
  if (found == mine_.end() || found->second.on_removed) return;
  found->second.run.held = reason;
  if (server_) {
    server_->hold(key, reason);
  } else if (leader_) {
    leader_->send(encode(HoldRun{key, reason}));
  }
}

void UserLoop::finish(RunKey key, Duration paused) {
  const auto found = mine_.find(key);
  if (found == mine_.end()) return;
  const auto done = std::move(found->second.on_removed);
  mine_.erase(found);
  if (mine_.empty() && leader_) leader_->close();
  if (done) done(paused);
}

void UserLoop::why(RunKey key, std::function<void(std::vector<std::string>)> done) {
  if (server_) {
    done(server_->why(key));
  } else if (leader_ && mine_.contains(key)) {
    asked_.emplace(key, std::move(done));
    leader_->send(encode(AskWhy{key}));
  } else {
    done({});
  }
}

Foreground UserLoop::state() const { return server_ ? server_->state() : state_; }

void UserLoop::leave() {
  away_ = true;
  server_.reset();
  loop_is_gone();
  if (leader_) leader_->close();
  leader_.reset();
  lock_.reset();
  again_.cancel();
}

/// Whoever drives this process's runs next did not see them start, and counts from nothing.
void UserLoop::loop_is_gone() {
  for (auto& [key, mine] : mine_) {
    mine.run.fresh = false;
    mine.paused_before = mine.paused;
  }
}

void UserLoop::rejoin() {
  away_ = false;
  if (!mine_.empty()) take_part();
}

// --- who has the loop

void UserLoop::take_part() {
  if (std::exchange(joining_, true)) return;
  asio::co_spawn(executor_, join(), log_exit("loop"));
}

/// Tries for the lock, else for a place with whoever has it, until one of them works out.
asio::awaitable<void> UserLoop::join() {
  const auto alive = alive_;
  for (int tries = 0; *alive && !away_ && !mine_.empty(); ++tries) {
    if (lead()) break;
    if (co_await connect()) {
      co_await follow();
      tries = 0;
    } else if (*alive) {
      again_.expires_after(tries < kMostSoon ? kTryAgain : kTryLater);
      co_await again_.async_wait(kNoThrow);
    }
  }
  if (*alive) joining_ = false;
}

/// flock, since the kernel lets go of it with the process that has it, however that dies.
bool UserLoop::lead() {
  auto lock = os::take_instance_lock(runtime_dir_ + "/loop.lock", std::chrono::milliseconds(0));
  if (!lock && lock.error().code() == EWOULDBLOCK) return false;
  server_ = std::make_unique<LoopServer>(executor_, settings_,
                                         [this](const Change& change) { note(change); });
  server_->set_user_away(user_away_);
  // A runtime folder that cannot be used leaves a loop for this process's runs alone.
  if (lock) {
    lock_ = std::move(*lock);
    if (const auto listening = server_->listen(runtime_dir_ + "/loop.sock"); !listening) {
      spdlog::debug("{}", listening.error().what());
    }
  }
  for (const auto& [key, mine] : mine_)
    server_->add(mine.run);
  return true;
}

void UserLoop::note(const Change& change) {
  const auto found = mine_.find(change.key);
  if (found == mine_.end()) return;
  Change mine = change;
  mine.paused += found->second.paused_before;
  found->second.paused = mine.paused;
  // Whoever drives next begins where this one was.
  state_ = found->second.run.state = change.level.state;
  on_change_(mine);
}

// --- without the lock

asio::awaitable<bool> UserLoop::connect() {
  const auto alive = alive_;
  const auto endpoint = endpoint_at(runtime_dir_ + "/loop.sock");
  if (!endpoint) co_return false;
  LinePeer::Socket socket(executor_);
  boost::system::error_code unopened;
  socket.open(endpoint->protocol(), unopened);
  if (unopened) co_return false;
  close_on_exec(socket.native_handle());  // a keeper may be started before it is connected
  const auto [error] = co_await socket.async_connect(*endpoint, kNoThrow);
  if (error || !*alive || away_) co_return false;
  leader_ = std::make_shared<LinePeer>(std::move(socket));
  for (const auto& [key, mine] : mine_)
    leader_->send(encode(AddRun{mine.run}));
  co_return true;
}

/// Hears what happens to our runs until the one with the lock is gone.
asio::awaitable<void> UserLoop::follow() {
  const auto alive = alive_;
  const std::shared_ptr<LinePeer> leader = leader_;
  while (const auto line = co_await leader->next_line()) {
    if (!*alive) co_return;
    const auto message = parse_from_loop(*line);
    if (message) take(*message);
  }
  if (!*alive) co_return;
  if (leader_ == leader) leader_.reset();
  loop_is_gone();
  const auto asked = std::exchange(asked_, {});
  for (const auto& [key, done] : asked)
    done({});
  std::vector<RunKey> leaving;
  for (const auto& [key, mine] : mine_) {
    if (mine.on_removed) leaving.push_back(key);
  }
  for (const RunKey key : leaving)
    finish(key, mine_.at(key).paused);
}

void UserLoop::take(const FromLoop& message) {
  if (const auto* change = std::get_if<Change>(&message)) {
    note(*change);
  } else if (const auto* removed = std::get_if<Removed>(&message)) {
    const auto found = mine_.find(removed->key);
    if (found == mine_.end() || !found->second.on_removed) return;  // it has come back
    finish(removed->key, found->second.paused_before + removed->paused);
  } else if (const auto* because = std::get_if<Because>(&message)) {
    const auto found = asked_.find(because->key);
    if (found == asked_.end()) return;
    const auto done = std::move(found->second);
    asked_.erase(found);
    done(because->because);
  }
}

}  // namespace lull::supervisor
