#include "runner/supervisor/control_server.hpp"

#include "runner/os/machine.hpp"
#include "runner/supervisor/coroutine.hpp"
#include "runner/supervisor/local_socket.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

/// After a failed accept (EMFILE and the like), how long to let descriptors come free.
constexpr std::chrono::milliseconds kAcceptAgain{200};

/// In bytes: the status of a hundred jobs or so.
constexpr std::size_t kLargeAnswer = 32768;

}  // namespace

std::string error_line(const std::string& message) {
  const nlohmann::ordered_json line{
      {"protocol", kProtocol}, {"ok", false}, {"error", message}, {"last", true}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ControlServer::ControlServer(const asio::any_io_executor& loop, Handler handler)
    : acceptor_(loop), handler_(std::move(handler)) {}

ControlServer::~ControlServer() { close(); }

void ControlServer::close() {
  if (!acceptor_.is_open()) return;
  acceptor_.close();
  ::unlink(path_.c_str());
}

Result<void> ControlServer::listen(const std::string& path) {
  auto listening = listen_on(acceptor_, path);
  if (!listening) return listening;
  path_ = path;
  asio::co_spawn(acceptor_.get_executor(), accept_loop(), log_exit("control connection"));
  return {};
}

asio::awaitable<void> ControlServer::accept_loop() {
  for (;;) {
    auto [error, client] = co_await acceptor_.async_accept(kNoThrow);
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (error) {
      spdlog::error("control socket: {}", error.message());
      asio::steady_timer pause(acceptor_.get_executor(), kAcceptAgain);
      co_await pause.async_wait(kNoThrow);
      continue;
    }
    close_on_exec(client.native_handle());
    if (may_talk(client)) {
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(client)),
                     log_exit("control connection"));
    }
  }
}

asio::awaitable<void> ControlServer::serve(Socket client) {
  std::string received;
  std::size_t sent = 0;
  const Send send = [&client, &sent](std::string line) -> asio::awaitable<void> {
    sent += line.size();
    co_await asio::async_write(client, asio::buffer(line), kNoThrow);
  };
  for (;;) {
    const auto [error, size] = co_await asio::async_read_until(
        client, asio::dynamic_buffer(received, kMaxRequest), '\n', kNoThrow);
    if (error == asio::error::not_found) co_await send(error_line("a request is too long"));
    if (error) co_return;
    const auto request = parse_request(std::string_view(received).substr(0, size));
    received.erase(0, size);
    if (request) {
      co_await handler_(*request, send);
    } else {
      co_await send(error_line(request.error().what()));
    }
    if (std::exchange(sent, 0) > kLargeAnswer) os::give_back_memory();
  }
}

}  // namespace lull::supervisor
