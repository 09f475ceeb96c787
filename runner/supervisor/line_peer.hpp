#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <optional>
#include <string>

namespace lull::supervisor {

/// Another process of this user at the other end of a local socket, with which we exchange lines.
class LinePeer : public std::enable_shared_from_this<LinePeer> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  explicit LinePeer(Socket socket);

  /// Sends whole lines, in order, and lets nobody wait for it. What comes too late for a peer that
  /// is gone is dropped.
  void send(const std::string& lines);
  /// The next line, with its end; none: the peer is gone, or has sent too long a line.
  boost::asio::awaitable<std::optional<std::string>> next_line();
  void close();

 private:
  static boost::asio::awaitable<void> send_all(std::shared_ptr<LinePeer> self);

  Socket socket_;
  std::string received_;
  std::string outbox_;
  bool sending_ = false;
};

}  // namespace lull::supervisor
