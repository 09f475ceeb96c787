#pragma once

#include "jobs/result.hpp"
#include "runner/desktop/x_display.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lull::desktop {

/// A connection to an X server on the loop, in the X11 protocol itself: libxcb waits without bound
/// for a server that accepts and does not answer (docs/decisions/0011-x-without-libxcb.md). What it
/// calls back runs on the loop, never within a call of ours, and never once it
/// is gone.
class XConnection {
 public:
  struct Handlers {
    std::function<void()> on_ready;                    ///< may send from now on
    std::function<void(std::string_view)> on_message;  ///< a reply, event or error, whole
    std::function<void(const std::string&)> on_end;    ///< why; of no more use, called once
  };

  /// Begins to connect. A server that has not taken us in after five seconds ends it.
  XConnection(const boost::asio::any_io_executor& loop, const XDisplay& display, Handlers handlers);
  XConnection(const XConnection&) = delete;
  XConnection& operator=(const XConnection&) = delete;
  ~XConnection() = default;

  /// Sends a request whose length field is filled in here. A server that does not read what little
  /// we send ends the connection.
  void send(std::string request);
  /// From now on the server must have answered in five seconds, until `answered`.
  void expect_answer();
  void answered() { deadline_.cancel(); }
  /// Ends it without a word. May be called from a handler, which must not destroy it.
  void close();
  /// A new resource of ours.
  [[nodiscard]] std::uint32_t new_id();

 private:
  Result<void> begin(const XDisplay& display);
  Result<void> connect(const LocalDisplay& display, const std::string& address,
                       const std::string& setup);
  void greet(const std::string& setup);
  void fail_later(const std::string& why);
  void write(const std::string& bytes);
  void read();
  void take();
  [[nodiscard]] std::size_t message_size() const;
  void take_setup(std::string_view setup);
  void end(const std::string& why);

  Handlers handlers_;
  boost::asio::local::stream_protocol::socket socket_;
  boost::asio::steady_timer deadline_;
  std::vector<char> incoming_;
  std::string received_;
  bool is_set_up_ = false;
  bool ended_ = false;
  std::uint32_t id_base_ = 0;
  std::uint32_t ids_ = 0;
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
};

}  // namespace lull::desktop
