#include "runner/supervisor/local_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace lull::supervisor {

using boost::asio::local::stream_protocol;

void close_on_exec(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

Result<stream_protocol::endpoint> endpoint_at(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return stream_protocol::endpoint(path);
  return Error(ENAMETOOLONG, path + " is too long for a socket: choose a shorter LULL_RUNTIME_DIR");
}

Result<void> listen_on(stream_protocol::acceptor& acceptor, const std::string& path) {
  const auto endpoint = endpoint_at(path);
  if (!endpoint) return endpoint.error();
  boost::system::error_code error;
  ::unlink(path.c_str());
  acceptor.open(stream_protocol(), error);
  if (!error) {
    close_on_exec(acceptor.native_handle());
    const mode_t before = ::umask(0177);  // no other thread of ours makes files here
    acceptor.bind(*endpoint, error);
    ::umask(before);
  }
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  acceptor.close();
  return Error(error.value(), "listen on " + path + ": " + error.message());
}

bool may_talk(stream_protocol::socket& client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(client.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace lull::supervisor
