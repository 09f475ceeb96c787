#pragma once

#include "runner/supervisor/control_server.hpp"
#include "runner/supervisor/status.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <set>
#include <string>

namespace lull::supervisor {

/// What the control socket's clients may ask for.
class Commands {
 public:
  using Send = ControlServer::Send;

  /// All must outlive the commands; `reload` reads the configuration again.
  Commands(const Zone& zone, JobTable& jobs, Runs& runs, Scheduler& scheduler,
           store::StoreThread& store, std::function<void()> reload);

  boost::asio::awaitable<void> answer(Request request, Send send);

 private:
  boost::asio::awaitable<void> status(Request request, Send send);
  boost::asio::awaitable<void> why(Request request, Send send);
  boost::asio::awaitable<void> start(Request request, Send send);
  boost::asio::awaitable<void> stop(Request request, Send send);
  [[nodiscard]] std::string status_line(const std::string& only) const;
  boost::asio::awaitable<Result<ActiveRunPtr>> start_by_hand(const JobEntry* job);

  const Zone* zone_;
  JobTable* jobs_;
  Runs* runs_;
  Scheduler* scheduler_;
  store::StoreThread* store_;
  std::function<void()> reload_;
  std::set<std::string> starting_;  ///< by hand, on their way through the store
};

}  // namespace lull::supervisor
