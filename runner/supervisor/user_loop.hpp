#pragma once

#include "runner/os/fd.hpp"
#include "runner/supervisor/line_peer.hpp"
#include "runner/supervisor/loop_protocol.hpp"
#include "runner/supervisor/loop_server.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lull::supervisor {

/// The runs of this process under the one loop of this user. Whoever of the user's lulls (daemon,
/// `lull run`) has the lock in the runtime folder drives the runs of all of them; the others hand
/// theirs over through a socket beside it and hear of each change. When the one with the lock goes,
/// the next takes over, and until then keepers thaw what was frozen.
class UserLoop {
 public:
  /// A change of one of this process's runs.
  using OnChange = std::function<void(const Change&)>;

  UserLoop(boost::asio::any_io_executor executor, std::string runtime_dir,
           const ForegroundSettings& settings, OnChange on_change);
  ~UserLoop();
  UserLoop(const UserLoop&) = delete;
  UserLoop& operator=(const UserLoop&) = delete;

  /// Counts where this process has the loop.
  void set_settings(const ForegroundSettings& settings);
  /// Who tells whether somebody is at the machine, while this process has the loop.
  void set_user_away(Driver::UserAway source);

  void add(DrivenRun run);
  /// Takes a run out, thawed. `done` gets how long it stood still in all, as far as that is known.
  void remove(RunKey key, std::function<void(Duration)> done);
  /// Has a run stand still for this reason, whoever has the loop, or go on again (none).
  void hold(RunKey key, const std::optional<std::string>& reason);
  /// Asks for what the loop thinks of a run.
  void why(RunKey key, std::function<void(std::vector<std::string>)> done);
  /// The foreground's state as this process knows it.
  [[nodiscard]] Foreground state() const;

  /// Gives the loop to somebody else, and leaves this process's runs alone until `rejoin`: before
  /// it is stopped or ends.
  void leave();
  void rejoin();

 private:
  /// One of this process's own runs.
  struct Mine {
    DrivenRun run;
    Duration paused{0};         ///< in all
    Duration paused_before{0};  ///< of that, under those who had the loop before
    std::function<void(Duration)> on_removed;
  };

  void take_part();
  void loop_is_gone();
  boost::asio::awaitable<void> join();
  bool lead();
  boost::asio::awaitable<bool> connect();
  boost::asio::awaitable<void> follow();
  void take(const FromLoop& message);
  void note(const Change& change);
  void finish(RunKey key, Duration paused);

  boost::asio::any_io_executor executor_;
  std::string runtime_dir_;
  ForegroundSettings settings_;
  Driver::UserAway user_away_;
  OnChange on_change_;
  std::map<RunKey, Mine> mine_;
  std::multimap<RunKey, std::function<void(std::vector<std::string>)>> asked_;
  Foreground state_ = Foreground::light;
  bool joining_ = false;
  bool away_ = false;  ///< between leave and rejoin
  boost::asio::steady_timer again_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  os::Fd lock_;
  std::unique_ptr<LoopServer> server_;  ///< where this process has the lock
  std::shared_ptr<LinePeer> leader_;    ///< where another has it, and answers
};

}  // namespace lull::supervisor
