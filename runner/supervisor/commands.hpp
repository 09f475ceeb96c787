#pragma once

#include "runner/supervisor/control_server.hpp"
#include "runner/supervisor/pauses.hpp"
#include "runner/supervisor/status.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace lull::supervisor {

/// What the control socket's clients may ask for.
class Commands {
 public:
  using Send = ControlServer::Send;

  /// All must outlive the commands; `reload` reads the configuration again.
  Commands(const Zone& zone, JobTable& jobs, Runs& runs, Scheduler& scheduler, Pauses& pauses,
           store::StoreThread& store, std::function<void()> reload);

  boost::asio::awaitable<void> answer(Request request, Send send);

 private:
  boost::asio::awaitable<void> status(Request request, Send send);
  boost::asio::awaitable<void> why(Request request, Send send);
  boost::asio::awaitable<void> start(Request request, Send send);
  boost::asio::awaitable<void> stop(Request request, Send send);
  boost::asio::awaitable<void> pause(Request request, Send send);
  boost::asio::awaitable<void> resume(Request request, Send send);
  boost::asio::awaitable<std::string> paused_answer(std::string job, std::string done,
                                                    store::StoreThread::Work record);
  [[nodiscard]] std::string no_resume(const std::string& job) const;
  [[nodiscard]] JobNow now_of(const JobEntry& job, const ActiveRun* run) const;
  [[nodiscard]] nlohmann::ordered_json status_of(const std::string& only) const;
  [[nodiscard]] std::vector<std::string> pause_sentences(const ActiveRun& run) const;
  boost::asio::awaitable<Result<ActiveRunPtr>> start_by_hand(const JobEntry* job);

  const Zone* zone_;
  JobTable* jobs_;
  Runs* runs_;
  Scheduler* scheduler_;
  Pauses* pauses_;
  store::StoreThread* store_;
  std::function<void()> reload_;
  std::set<std::string> starting_;  ///< by hand, on their way through the store
};

}  // namespace lull::supervisor
