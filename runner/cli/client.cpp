#include "runner/cli/client.hpp"

#include "runner/os/errno_error.hpp"

#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>

namespace lull::cli {

Result<std::optional<Client>> Client::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error(path + " is too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return os::errno_error("make a socket");
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);  // as connect(2) wants it
  if (::connect(socket.get(), plain, sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<Client>();
    return os::errno_error("connect to " + path);
  }
  return std::optional<Client>(Client(std::move(socket)));
}

Result<void> Client::send(const supervisor::Request& request) {
  const std::string line = encode(request);
  if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    return os::errno_error("ask the supervisor");
  }
  return {};
}

Result<nlohmann::ordered_json> Client::receive() {
  std::array<char, 65536> buffer{};
  std::size_t end = received_.find('\n');
  while (end == std::string::npos) {
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return os::errno_error("hear from the supervisor");
    if (size == 0) return Error("the supervisor ended before it answered");
    const std::size_t searched = received_.size();
    received_.append(buffer.data(), static_cast<std::size_t>(size));
    end = received_.find('\n', searched);
  }
  auto line = nlohmann::ordered_json::parse(received_.substr(0, end), nullptr, false);
  received_.erase(0, end + 1);
  if (!line.is_object()) return Error("the supervisor's answer makes no sense");
  if (!line.value("ok", false)) return Error(line.value("error", "the supervisor refused"));
  return {Result<nlohmann::ordered_json>::in_place_value, std::move(line)};  // JSON is made of all
}

}  // namespace lull::cli
