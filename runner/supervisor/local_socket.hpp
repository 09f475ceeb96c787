#pragma once

#include "jobs/result.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <string>

namespace lull::supervisor {

/// Asio opens sockets without SOCK_CLOEXEC; a keeper must not inherit them.
void close_on_exec(int fd);

/// The socket at `path`, or why there can be none.
Result<boost::asio::local::stream_protocol::endpoint> endpoint_at(const std::string& path);

/// Listens at `path` with mode 0600, replacing what a dead process left there: the caller holds the
/// lock that says so.
Result<void> listen_on(boost::asio::local::stream_protocol::acceptor& acceptor,
                       const std::string& path);

/// Whether the peer is the owner or root (SO_PEERCRED).
bool may_talk(boost::asio::local::stream_protocol::socket& client);

}  // namespace lull::supervisor
