#include "runner/supervisor/user_loop.hpp"

#include "runner/os/instance_lock.hpp"
#include "runner/supervisor/local_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <string_view>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
/// Between two tries to find the process with the lock, which may just be starting or ending.
constexpr std::chrono::milliseconds kTryAgain{50};
/// Where it does neither in a second: it may have no socket, and lets go of the lock when it ends.
constexpr std::chrono::milliseconds kTryLater{2000};
constexpr int kMostSoon = 20;
constexpr std::size_t kLongestLine = 65536;

void log_exit(std::exception_ptr problem) {  // NOLINT(performance-unnecessary-value-param): Asio's
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    spdlog::error("loop: {}", error.what());
  }
}

std::string take_line(std::string& received, std::size_t size) {
  std::string line = received.substr(0, size);
  received.erase(0, size);
  return line;
}

}  // namespace

UserLoop::UserLoop(asio::any_io_executor executor, std::string runtime_dir,
                   const ForegroundSettings& settings, OnChange on_change)
    : executor_(std::move(executor)),
      runtime_dir_(std::move(runtime_dir)),
      settings_(settings),
      on_change_(std::move(on_change)),
      again_(executor_),
      acceptor_(executor_) {}

UserLoop::~UserLoop() {
  *alive_ = false;
  leave();
}

void UserLoop::set_settings(const ForegroundSettings& settings) {
  settings_ = settings;
  if (driver_) driver_->set_settings(settings);
}

// --- this process's runs

void UserLoop::add(DrivenRun run) {
  const RunKey key = run.key;
  mine_[key] = Mine{run, Duration(0), Duration(0), {}};
  if (driver_) {
    run.key = own_keys_[key] = next_key_++;
    driver_->add(run);
  } else if (leader_) {
    say(AddRun{std::move(run)});
  } else {
    take_part();
  }
}

void UserLoop::remove(RunKey key, std::function<void(Duration)> done) {
  const auto found = mine_.find(key);
  if (found == mine_.end()) return done(Duration(0));
  found->second.on_removed = std::move(done);
  if (driver_) {
    const RunKey driven = own_keys_[key];
    own_keys_.erase(key);
    finish(key, found->second.paused_before + driver_->remove(driven));
  } else if (leader_) {
    say(RemoveRun{key});
  } else {
    finish(key, found->second.paused);
  }
}

void UserLoop::finish(RunKey key, Duration paused) {
  const auto found = mine_.find(key);
  if (found == mine_.end()) return;
  const auto done = std::move(found->second.on_removed);
  mine_.erase(found);
  if (mine_.empty() && leader_) leader_->socket.close();
  if (done) done(paused);
}

void UserLoop::why(RunKey key, std::function<void(std::vector<std::string>)> done) {
  if (driver_) {
    const auto driven = own_keys_.find(key);
    done(driven == own_keys_.end() ? std::vector<std::string>() : driver_->why(driven->second));
  } else if (leader_ && mine_.contains(key)) {
    asked_[key] = std::move(done);
    say(AskWhy{key});
  } else {
    done({});
  }
}

Foreground UserLoop::state() const { return driver_ ? driver_->state() : state_; }

void UserLoop::leave() {
  away_ = true;
  driver_.reset();
  loop_is_gone();
  own_keys_.clear();
  owners_.clear();
  for (const MemberPtr& member : members_)
    member->socket.close();
  members_.clear();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  if (leader_) leader_->socket.close();
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
  asio::co_spawn(executor_, join(), log_exit);
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
  // A runtime folder that cannot be used leaves a loop for this process's runs alone.
  if (lock) {
    lock_ = std::move(*lock);
    if (auto listening = listen_on(acceptor_, runtime_dir_ + "/loop.sock"); listening) {
      asio::co_spawn(executor_, accept_members(), log_exit);
    }
  }
  driver_ = std::make_unique<Driver>(executor_, settings_,
                                     [this](const Change& change) { route(change); });
  for (const auto& [key, mine] : mine_) {
    DrivenRun run = mine.run;
    run.key = own_keys_[key] = next_key_++;
    driver_->add(run);
  }
  return true;
}

/// A change of the driver's run belongs to this process or to a member.
void UserLoop::route(const Change& change) {
  if (const auto owner = owners_.find(change.key); owner != owners_.end()) {
    Change theirs = change;
    theirs.key = owner->second.second;
    return answer(owner->second.first, theirs);
  }
  for (const auto& [key, driven] : own_keys_) {
    if (driven != change.key) continue;
    Change mine = change;
    mine.key = key;
    return note(mine);
  }
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
  auto leader = std::make_shared<Member>(Socket(executor_));
  const stream_protocol::endpoint endpoint(runtime_dir_ + "/loop.sock");
  const auto [error] = co_await leader->socket.async_connect(endpoint, kNoThrow);
  if (error || !*alive || away_) co_return false;
  close_on_exec(leader->socket.native_handle());
  leader_ = leader;
  for (const auto& [key, mine] : mine_)
    say(AddRun{mine.run});
  co_return true;
}

/// Hears what happens to our runs until the one with the lock is gone.
asio::awaitable<void> UserLoop::follow() {
  const auto alive = alive_;
  const MemberPtr leader = leader_;
  std::string received;
  for (;;) {
    const auto [error, size] = co_await asio::async_read_until(
        leader->socket, asio::dynamic_buffer(received, kLongestLine), '\n', kNoThrow);
    if (!*alive) co_return;
    if (error) break;
    const auto message = parse_from_loop(take_line(received, size));
    if (message) take(*message);
  }
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
    if (found == mine_.end()) return;
    finish(removed->key, found->second.paused_before + removed->paused);
  } else if (const auto* because = std::get_if<Because>(&message)) {
    const auto found = asked_.find(because->key);
    if (found == asked_.end()) return;
    const auto done = std::move(found->second);
    asked_.erase(found);
    done(because->because);
  }
}

void UserLoop::say(const ToLoop& message) {
  leader_->outbox += encode(message);
  if (!std::exchange(leader_->sending, true)) {
    asio::co_spawn(executor_, send_all(leader_), log_exit);
  }
}

asio::awaitable<void> UserLoop::send_all(MemberPtr member) {
  while (!member->outbox.empty()) {
    const std::string text = std::exchange(member->outbox, {});
    const auto [error, size] =
        co_await asio::async_write(member->socket, asio::buffer(text), kNoThrow);
    if (error) break;
  }
  member->sending = false;
}

// --- with the lock

asio::awaitable<void> UserLoop::accept_members() {
  const auto alive = alive_;
  for (;;) {
    auto [error, client] = co_await acceptor_.async_accept(kNoThrow);
    if (!*alive || error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (error) {
      again_.expires_after(kTryAgain);
      co_await again_.async_wait(kNoThrow);
      if (!*alive) co_return;
      continue;
    }
    close_on_exec(client.native_handle());
    if (!may_talk(client)) continue;
    auto member = std::make_shared<Member>(std::move(client));
    members_.insert(member);
    asio::co_spawn(executor_, serve(member), log_exit);
  }
}

asio::awaitable<void> UserLoop::serve(MemberPtr member) {
  const auto alive = alive_;
  std::string received;
  for (;;) {
    const auto [error, size] = co_await asio::async_read_until(
        member->socket, asio::dynamic_buffer(received, kLongestLine), '\n', kNoThrow);
    if (!*alive || !driver_) co_return;
    if (error) break;
    const auto message = parse_to_loop(take_line(received, size));
    if (message) {
      obey(member, *message);
    } else {
      spdlog::warn("{}", message.error().what());
    }
  }
  drop(member);
}

void UserLoop::obey(const MemberPtr& member, const ToLoop& message) {
  if (const auto* add = std::get_if<AddRun>(&message)) {
    DrivenRun run = add->run;
    const RunKey theirs = run.key;
    run.key = member->keys[theirs] = next_key_++;
    owners_[run.key] = {member, theirs};
    driver_->add(run);
  } else if (const auto* remove = std::get_if<RemoveRun>(&message)) {
    const auto found = member->keys.find(remove->key);
    if (found == member->keys.end()) return answer(member, Removed{remove->key, Duration(0)});
    const Duration paused = driver_->remove(found->second);
    owners_.erase(found->second);
    member->keys.erase(found);
    answer(member, Removed{remove->key, paused});
  } else if (const auto* ask = std::get_if<AskWhy>(&message)) {
    const auto found = member->keys.find(ask->key);
    answer(member, Because{ask->key, found == member->keys.end() ? std::vector<std::string>()
                                                                 : driver_->why(found->second)});
  }
}

void UserLoop::answer(const MemberPtr& member, const FromLoop& message) {
  member->outbox += encode(message);
  if (!std::exchange(member->sending, true)) {
    asio::co_spawn(executor_, send_all(member), log_exit);
  }
}

/// A member that is gone takes its runs out: it ended, or it will hand them to the next loop.
void UserLoop::drop(const MemberPtr& member) {
  for (const auto& [theirs, driven] : member->keys) {
    driver_->remove(driven);
    owners_.erase(driven);
  }
  members_.erase(member);
}

}  // namespace lull::supervisor
