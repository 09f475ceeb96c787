#include "runner/os/netlink.hpp"

#include "runner/os/errno_error.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace lull::os {
namespace {

constexpr std::uint32_t kKernelEvents = 1;  // group 2 is udev's

Result<Fd> listen(int protocol, std::uint32_t groups, const char* what) {
  Fd watch(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!watch) return errno_error(what);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) wants it so
  if (::bind(watch.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno_error(what);
  }
  return watch;
}

}  // namespace

Result<Fd> watch_routes() {
  return listen(NETLINK_ROUTE, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_LINK,
                "listen to changes of routes");
}

Result<Fd> watch_devices() {
  return listen(NETLINK_KOBJECT_UEVENT, kKernelEvents, "listen to events of devices");
}

/// What was lost (ENOBUFS) is one more reason to look, and no end.
void drain(const Fd& watch) {
  std::array<char, 4096> bytes{};
  while (::recv(watch.get(), bytes.data(), bytes.size(), MSG_TRUNC) >= 0 || errno == ENOBUFS) {
  }
}

}  // namespace lull::os
