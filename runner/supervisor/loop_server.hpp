#pragma once

#include "runner/supervisor/driver.hpp"
#include "runner/supervisor/line_peer.hpp"
#include "runner/supervisor/loop_protocol.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lull::supervisor {

/// The one loop of a user, in the process that has the lock: drives that process's own runs, and
/// those that the user's other lulls hand over through a socket. Each names its runs with keys of
/// its own.
class LoopServer {
 public:
  /// `on_own_change` hears of changes of this process's runs; the others are told of theirs.
  LoopServer(const boost::asio::any_io_executor& executor, const ForegroundSettings& settings,
             Driver::OnChange on_own_change);
  /// All runs are thawed, and the others told by the end of their connections.
  ~LoopServer();
  LoopServer(const LoopServer&) = delete;
  LoopServer& operator=(const LoopServer&) = delete;

  /// Takes runs of others from now on, at the socket `path`.
  Result<void> listen(const std::string& path);
  void set_settings(const ForegroundSettings& settings) { driver_.set_settings(settings); }
  void set_user_away(Driver::UserAway source) { driver_.set_user_away(std::move(source)); }

  // This process's own runs, as Driver has them.
  void add(const DrivenRun& run) { add(self_, run); }
  Duration remove(RunKey key) { return remove(self_, key); }
  [[nodiscard]] std::vector<std::string> why(RunKey key) const { return why(self_, key); }
  void hold(RunKey key, const std::optional<std::string>& reason) { hold(self_, key, reason); }
  [[nodiscard]] Foreground state() const { return driver_.state(); }

 private:
  /// A process whose runs we drive.
  struct Member {
    std::shared_ptr<LinePeer> peer;  ///< none: this process
    std::map<RunKey, RunKey> keys;   ///< its own to the driver's
  };
  using MemberPtr = std::shared_ptr<Member>;
  struct Owner {
    MemberPtr member;
    RunKey key = 0;  ///< by which the member knows it
  };

  void add(const MemberPtr& member, DrivenRun run);
  Duration remove(const MemberPtr& member, RunKey key);
  [[nodiscard]] std::vector<std::string> why(const MemberPtr& member, RunKey key) const;
  void hold(const MemberPtr& member, RunKey key, const std::optional<std::string>& reason);
  void route(const Change& change);

  boost::asio::awaitable<void> accept_members();
  boost::asio::awaitable<void> serve(MemberPtr member);
  void obey(const MemberPtr& member, const ToLoop& message);
  void drop(const MemberPtr& member);

  Driver::OnChange on_own_change_;
  MemberPtr self_ = std::make_shared<Member>();
  std::set<MemberPtr> members_;
  std::map<RunKey, Owner> owners_;  ///< by the driver's keys
  RunKey next_key_ = 1;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Driver driver_;
};

}  // namespace lull::supervisor
