#include "runner/supervisor/loop_server.hpp"

#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/local_socket.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

/// After a failed accept (EMFILE and the like), how long to let descriptors come free.
constexpr std::chrono::milliseconds kAcceptAgain{50};

}  // namespace

LoopServer::LoopServer(const asio::any_io_executor& executor, const ForegroundSettings& settings,
                       Driver::OnChange on_own_change)
    : on_own_change_(std::move(on_own_change)),
      acceptor_(executor),
      driver_(executor, settings, [this](const Change& change) { route(change); }) {}

LoopServer::~LoopServer() {
  *alive_ = false;
  for (const MemberPtr& member : members_)
    member->peer->close();
}

Result<void> LoopServer::listen(const std::string& path) {
  auto listening = listen_on(acceptor_, path);
  if (!listening) return listening;
  asio::co_spawn(acceptor_.get_executor(), accept_members(), log_exit("loop"));
  return {};
}

void LoopServer::add(const MemberPtr& member, DrivenRun run) {
  remove(member, run.key);  // whoever hands over a run once more means the same one
  const RunKey key = next_key_++;
  owners_[key] = {member, run.key};
  member->keys[run.key] = key;
  run.key = key;
  driver_.add(std::move(run));
}

Duration LoopServer::remove(const MemberPtr& member, RunKey key) {
  const auto found = member->keys.find(key);
  if (found == member->keys.end()) return Duration(0);
  const Duration paused = driver_.remove(found->second);
  owners_.erase(found->second);
  member->keys.erase(found);
  return paused;
}

std::vector<std::string> LoopServer::why(const MemberPtr& member, RunKey key) const {
  const auto found = member->keys.find(key);
  return found == member->keys.end() ? std::vector<std::string>() : driver_.why(found->second);
}

void LoopServer::hold(const MemberPtr& member, RunKey key,
                      const std::optional<std::string>& reason) {
  const auto found = member->keys.find(key);
  if (found != member->keys.end()) driver_.hold(found->second, reason);
}

/// A change of the driver's run goes to whoever brought it.
void LoopServer::route(const Change& change) {
  const auto found = owners_.find(change.key);
  if (found == owners_.end()) return;
  const Owner& owner = found->second;
  Change theirs = change;
  theirs.key = owner.key;
  if (owner.member == self_) return on_own_change_(theirs);
  owner.member->peer->send(encode(theirs));
}

asio::awaitable<void> LoopServer::accept_members() {
  const auto alive = alive_;
  for (;;) {
    auto [error, client] = co_await acceptor_.async_accept(kNoThrow);
    if (!*alive) co_return;
    if (error) {
      asio::steady_timer pause(client.get_executor(), kAcceptAgain);
      co_await pause.async_wait(kNoThrow);
      if (!*alive) co_return;
      continue;
    }
    if (!may_talk(client)) continue;
    auto member = std::make_shared<Member>();
    member->peer = std::make_shared<LinePeer>(std::move(client));
    members_.insert(member);
    asio::co_spawn(acceptor_.get_executor(), serve(member), log_exit("loop"));
  }
}

asio::awaitable<void> LoopServer::serve(MemberPtr member) {
  const auto alive = alive_;
  while (const auto line = co_await member->peer->next_line()) {
    if (!*alive) co_return;
    const auto message = parse_to_loop(*line);
    if (message) {
      obey(member, *message);
    } else {
      spdlog::warn("{}", message.error().what());
    }
  }
  if (*alive) drop(member);
}

void LoopServer::obey(const MemberPtr& member, const ToLoop& message) {
  if (const auto* added = std::get_if<AddRun>(&message)) {
    add(member, added->run);
  } else if (const auto* removed = std::get_if<RemoveRun>(&message)) {
    const Duration paused = remove(member, removed->key);
    member->peer->send(encode(Removed{removed->key, paused}));
  } else if (const auto* asked = std::get_if<AskWhy>(&message)) {
    member->peer->send(encode(Because{asked->key, why(member, asked->key)}));
  } else if (const auto* held = std::get_if<HoldRun>(&message)) {
    hold(member, held->key, held->reason);
  }
}

/// A member that is gone takes its runs out: it ended, or it will hand them to the next loop.
void LoopServer::drop(const MemberPtr& member) {
  while (!member->keys.empty())
    remove(member, member->keys.begin()->first);
  members_.erase(member);
}

}  // namespace lull::supervisor
