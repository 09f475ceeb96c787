#include "runner/supervisor/line_peer.hpp"

#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/local_socket.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace lull::supervisor {

namespace asio = boost::asio;

LinePeer::LinePeer(Socket socket) : socket_(std::move(socket)) {
  close_on_exec(socket_.native_handle());
}

void LinePeer::send(const std::string& lines) {
  outbox_ += lines;
  if (std::exchange(sending_, true)) return;
  asio::co_spawn(socket_.get_executor(), send_all(shared_from_this()), log_exit("loop"));
}

asio::awaitable<void> LinePeer::send_all(std::shared_ptr<LinePeer> self) {
  while (!self->outbox_.empty()) {
    const std::string lines = std::exchange(self->outbox_, {});
    const auto [error, size] =
        co_await asio::async_write(self->socket_, asio::buffer(lines), kNoThrow);
    if (error) break;
  }
  self->sending_ = false;
}

asio::awaitable<std::optional<std::string>> LinePeer::next_line() {
  constexpr std::size_t kLongest = 65536;
  const auto self = shared_from_this();
  const auto [error, size] = co_await asio::async_read_until(
      socket_, asio::dynamic_buffer(received_, kLongest), '\n', kNoThrow);
  if (error) co_return std::nullopt;
  std::string line = received_.substr(0, size);
  received_.erase(0, size);
  co_return line;
}

void LinePeer::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace lull::supervisor
