#include "runner/supervisor/control_server.hpp"

#include "runner/os/machine.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
/// After a failed accept (EMFILE and the like), how long to let descriptors come free.
constexpr std::chrono::milliseconds kAcceptAgain{200};

/// In bytes: the status of a hundred jobs or so.
constexpr std::size_t kLargeAnswer = 32768;

/// Asio opens sockets without SOCK_CLOEXEC; a keeper must not inherit them.
void close_on_exec(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

bool may_talk(const stream_protocol::socket& client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  auto& socket = const_cast<stream_protocol::socket&>(client);  // Asio's accessor is not const
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  return peer.uid == 0 || peer.uid == ::geteuid();
}

void log_exit(std::exception_ptr problem) {  // NOLINT(performance-unnecessary-value-param): Asio's
  if (!problem) return;
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    spdlog::error("control connection: {}", error.what());
  }
}

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
  const auto failed = [&](const boost::system::error_code& error) {
    return Error(error.value(), "listen on " + path + ": " + error.message());
  };
  boost::system::error_code error;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(ENAMETOOLONG,
                 path + " is too long for a socket: choose a shorter LULL_RUNTIME_DIR");
  }
  ::unlink(path.c_str());
  acceptor_.open(stream_protocol(), error);
  if (!error) {
    close_on_exec(acceptor_.native_handle());
    const mode_t before = ::umask(0177);  // no other thread of ours makes files here
    acceptor_.bind(stream_protocol::endpoint(path), error);
    ::umask(before);
  }
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  path_ = path;
  asio::co_spawn(acceptor_.get_executor(), accept_loop(), log_exit);
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
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(client)), log_exit);
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
