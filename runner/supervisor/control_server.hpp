#pragma once

#include "jobs/result.hpp"
#include "runner/supervisor/protocol.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <string>

namespace lull::supervisor {

/// Answers on a Unix socket that only its owner and root may use: the folder is private, the socket
/// 0600, and each peer is asked for (SO_PEERCRED). A client that stalls, sends nonsense or never
/// reads costs its own coroutine and nothing else.
class ControlServer {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  /// Sends one line of an answer to the client.
  using Send = std::function<boost::asio::awaitable<void>(std::string)>;
  /// Answers one request.
  using Handler = std::function<boost::asio::awaitable<void>(Request, Send)>;

  ControlServer(const boost::asio::any_io_executor& loop, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Listens at `path`, replacing what a dead supervisor left there; the caller holds the
  /// instance's lock.
  Result<void> listen(const std::string& path);
  void close();

 private:
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> serve(Socket client);

  boost::asio::local::stream_protocol::acceptor acceptor_;
  Handler handler_;
  std::string path_;
};

/// An answer's line that ends it: {"protocol":1,"ok":false,"error":…,"last":true}.
std::string error_line(const std::string& message);

}  // namespace lull::supervisor
