#pragma once

#include "jobs/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <systemd/sd-bus.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace lull::desktop {

struct MessageDeleter {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDeleter>;

/// Which signals a watch is for; an empty part matches any.
struct SignalMatch {
  std::string path;
  std::string interface;
  std::string member;
  std::string sender = {};  ///< a name on the bus; of a peer empty
  std::string arg0 = {};    ///< the first argument, a string
};

/// A D-Bus connection on the loop: nothing here blocks. What it calls back runs on the loop, and
/// never once the bus is gone.
class Bus {
 public:
  /// The answer, or why there is none.
  using OnReply = std::function<void(Result<sd_bus_message*>)>;
  using OnSignal = std::function<void(sd_bus_message*)>;

  /// Whom we talk to: a bus daemon, or the one program that listens at that address.
  enum class To { daemon, peer };

  /// Begins to connect to `address` ("unix:path=…"); an address where nobody listens is an error
  /// at once, one who refuses us is the error of the first call.
  static Result<std::unique_ptr<Bus>> connect(const boost::asio::any_io_executor& loop,
                                              const std::string& address, To to);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  /// A message to be filled in with sd_bus_message_append and the like.
  Result<Message> method(const char* service, const char* path, const char* interface,
                         const char* member);
  /// Sends it. `on_reply` is called once, with ETIMEDOUT after `patience`.
  void call(const Message& message, std::chrono::microseconds patience, OnReply on_reply);
  /// Calls `on_signal` at each such signal from now on.
  Result<void> watch(const SignalMatch& match, OnSignal on_signal);
  /// Calls `on_end` when the other end has closed it.
  Result<void> watch_end(std::function<void()> on_end);

  /// The other end has closed it, or broken the protocol: it is of no more use.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  struct BusDeleter {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
  };
  using Connection = std::unique_ptr<sd_bus, BusDeleter>;
  Bus(const boost::asio::any_io_executor& loop, Connection bus);
  void process();
  void end();
  void wait();

  Connection bus_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  bool reading_ = false;
  bool writing_ = false;
  bool broken_ = false;
  std::function<void()> on_end_;                                            ///< not called yet
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
};

}  // namespace lull::desktop
