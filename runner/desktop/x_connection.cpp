#include "runner/desktop/x_connection.hpp"

#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

// Last, for their macros: None, Success and so on.
#include <X11/X.h>
#include <X11/Xproto.h>

namespace lull::desktop {
namespace {

namespace asio = boost::asio;

/// A server that takes longer is as good as none.
constexpr std::chrono::seconds kAnswers{5};
/// The longest setup that the protocol allows is 256 KiB, and nothing that we ask for comes near.
constexpr std::size_t kLongest = std::size_t{300} * 1024;
constexpr std::size_t kAtOnce = 4096;
constexpr std::uint8_t kGenericEvent = 35;  // X.h, whose other names are macros like None

template <class Part>
Part part_at(std::string_view bytes, std::size_t offset) {
  Part part{};
  std::memcpy(&part, bytes.data() + offset, sizeof part);
  return part;
}

std::string padded(std::string text) {
  text.resize((text.size() + 3) / 4 * 4);
  return text;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

/// It lies beside the user's other settings, which were read just as this is.
std::string read_authority(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string setup_request(const XDisplay& display, const LocalDisplay& local) {
  const std::string cookie =
      find_cookie(read_authority(display.authority_file), host_name(), local.number);
  const std::string method = cookie.empty() ? "" : "MIT-MAGIC-COOKIE-1";
  xConnClientPrefix prefix{};
  prefix.byteOrder = std::endian::native == std::endian::little ? 'l' : 'B';
  prefix.majorVersion = X_PROTOCOL;
  prefix.minorVersion = X_PROTOCOL_REVISION;
  prefix.nbytesAuthProto = static_cast<CARD16>(method.size());
  prefix.nbytesAuthString = static_cast<CARD16>(cookie.size());
  std::string request(sz_xConnClientPrefix, '\0');
  std::memcpy(request.data(), &prefix, request.size());
  return request + padded(method) + padded(cookie);
}

}  // namespace

XConnection::XConnection(const asio::any_io_executor& loop, const XDisplay& display,
                         Handlers handlers)
    : handlers_(std::move(handlers)), socket_(loop), deadline_(loop), incoming_(kAtOnce) {
  expect_answer();
  if (auto begun = begin(display); !begun) fail_later(begun.error().what());
}

Result<void> XConnection::begin(const XDisplay& display) {
  const auto local = parse_display(display.name);
  if (!local) return local.error();
  if (local->socket.size() >= sizeof(sockaddr_un::sun_path) - 1) {
    return Error("connect to " + local->socket + ": the path is too long");
  }
  return connect(*local, local->socket, setup_request(display, *local));
}

/// Never waits: a UNIX socket is connected at once or not at all (connect(2)).
Result<void> XConnection::connect(const LocalDisplay& display, const std::string& address,
                                  const std::string& setup) {
  boost::system::error_code error;
  socket_.close(error);
  socket_.open({}, error);
  if (error) return Error("make a socket: " + error.message());
  (void)::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);  // Asio leaves it open in children
  const auto connected = [this, there = std::weak_ptr<const bool>(there_), display, address,
                          setup](const boost::system::error_code& failed) {
    if (there.expired() || ended_) return;
    if (failed && address == display.socket) {
      // The server's other name, also where its folder is hidden or could not be made.
      (void)connect(display, '\0' + display.socket, setup);
    } else if (failed) {
      end("connect to " + display.socket + ": " + failed.message());
    } else {
      greet(setup);
    }
  };
  socket_.async_connect(asio::local::stream_protocol::endpoint(address), connected);
  return boost::system::in_place_value;
}

/// Anybody may take the abstract name of a display that is not there.
void XConnection::greet(const std::string& setup) {
  ucred server{};
  socklen_t size = sizeof server;
  const int failed = ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &server, &size);
  if (failed != 0 || (server.uid != 0 && ::geteuid() != 0 && server.uid != ::geteuid())) {
    return end("it is another user's");
  }
  write(setup);
  read();
}

void XConnection::expect_answer() {
  deadline_.expires_after(kAnswers);
  deadline_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& cancelled) {
    if (!cancelled && !there.expired()) end("it does not answer");
  });
}

void XConnection::fail_later(const std::string& why) {
  asio::post(socket_.get_executor(), [this, why, there = std::weak_ptr<const bool>(there_)] {
    if (!there.expired()) end(why);
  });
}

void XConnection::send(std::string request) {
  const auto words = static_cast<CARD16>(request.size() / 4);
  std::memcpy(request.data() + offsetof(xReq, length), &words, sizeof words);
  write(request);
}

/// What we send is less than any socket buffer holds.
void XConnection::write(const std::string& bytes) {
  if (ended_) return;
  const ssize_t sent =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(bytes.size())) fail_later("it does not read what we send");
}

void XConnection::read() {
  const auto then = [this, there = std::weak_ptr<const bool>(there_)](const auto& error,
                                                                      std::size_t count) {
    if (there.expired() || ended_) return;
    if (error) return end("it closed the connection");
    received_.append(incoming_.data(), count);
    take();
    if (!there.expired() && !ended_) read();
  };
  socket_.async_read_some(asio::buffer(incoming_), then);
}

/// All whole messages; at most one read's worth.
void XConnection::take() {
  const std::weak_ptr<const bool> there(there_);
  while (!there.expired() && !ended_) {
    const std::size_t size = message_size();
    if (size > kLongest) return end("it breaks the X protocol");
    if (size == 0 || received_.size() < size) return;
    const std::string message = received_.substr(0, size);
    received_.erase(0, size);
    if (!is_set_up_) {
      take_setup(message);
    } else {
      handlers_.on_message(message);
    }
  }
}

/// Of the first message in what was received; 0 while that cannot be said.
std::size_t XConnection::message_size() const {
  if (!is_set_up_) {
    if (received_.size() < sz_xConnSetupPrefix) return 0;
    const auto words = part_at<CARD16>(received_, offsetof(xConnSetupPrefix, length));
    return sz_xConnSetupPrefix + std::size_t{words} * 4;
  }
  if (received_.size() < sz_xReply) return 0;
  const auto type = part_at<CARD8>(received_, 0);
  if (type != X_Reply && type != kGenericEvent) return sz_xReply;
  return sz_xReply + std::size_t{part_at<CARD32>(received_, offsetof(xGenericReply, length))} * 4;
}

void XConnection::take_setup(std::string_view setup) {
  const auto prefix = part_at<xConnSetupPrefix>(setup, 0);
  const std::string_view rest = setup.substr(sz_xConnSetupPrefix);
  if (prefix.success == 0) {
    const std::string reason(rest.substr(0, prefix.lengthReason));
    return end("it refuses us: " + reason.substr(0, reason.find('\n')));
  }
  if (prefix.success != 1) return end("it wants more authentication than we have");
  if (rest.size() < sz_xConnSetup) return end("it breaks the X protocol");
  id_base_ = part_at<CARD32>(rest, offsetof(xConnSetup, ridBase));
  is_set_up_ = true;
  handlers_.on_ready();
}

/// The lowest bit of the mask of ours is the lowest of all, in every server there is.
std::uint32_t XConnection::new_id() { return id_base_ | ++ids_; }

void XConnection::close() {
  ended_ = true;
  deadline_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void XConnection::end(const std::string& why) {
  if (ended_) return;
  close();
  handlers_.on_end(why);
}

}  // namespace lull::desktop
