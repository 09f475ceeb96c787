#pragma once

#include "runner/desktop/bus.hpp"
#include "runner/desktop/input_source.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace lull::desktop {

/// One D-Bus service that may come and go, as may its bus, on a connection of its own, so that one
/// that floods is cut off for a while without harm to others.
class ServiceLink {
 public:
  struct Handlers {
    std::function<Result<void>()> subscribe;  ///< to its signals; at each new connection
    std::function<void()> ask;                ///< it may be there now
    std::function<void()> gone;               ///< what it said holds no more
  };

  /// Handlers are called on the loop from `open` on, and within it.
  ServiceLink(const boost::asio::any_io_executor& loop, std::string bus_address,
              std::string service, Handlers handlers);
  /// Connects, now and whenever the connection was lost.
  void open();

  /// A signal of the service's; `arg0` as in SignalMatch.
  Result<void> watch(const std::string& path, const std::string& interface,
                     const std::string& member, Bus::OnSignal on_signal,
                     const std::string& arg0 = {});
  /// Whether a call may have the bus start the service.
  enum class Start { no, yes };
  /// A call to it; an error while there is no bus.
  Result<Message> method(const char* path, const char* interface, const char* member,
                         Start start = Start::no);
  /// Sends it. `on_reply` is called once, if the connection lasts. The service is asked again later
  /// if it did not answer in five seconds, or with an error though it is there.
  void call(const Message& message, Bus::OnReply on_reply);
  /// It may well be there: it did not answer in time, or was cut off because it flooded us.
  [[nodiscard]] bool is_unreliable() const { return is_unreliable_; }

 private:
  Result<void> subscribe();
  void on_owner(sd_bus_message* signal);
  void lose();
  void cut_off();
  void try_again();

  boost::asio::any_io_executor loop_;
  std::string bus_address_;
  std::string service_;
  Handlers handlers_;
  FloodGuard flood_;
  boost::asio::steady_timer again_;
  std::chrono::seconds patience_;
  bool is_trying_again_ = false;
  bool is_unreliable_ = false;
  bool lost_ = false;                                                       ///< no more of use
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
  std::unique_ptr<Bus> bus_;  ///< last: what it calls back uses the rest
};

}  // namespace lull::desktop
