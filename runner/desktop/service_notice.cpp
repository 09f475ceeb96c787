#include "runner/desktop/service_notice.hpp"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace lull::desktop {

ServiceNotice::ServiceNotice(const boost::asio::any_io_executor& loop) : watchdog_(loop) {
  std::uint64_t patience = 0;
  if (::sd_watchdog_enabled(0, &patience) <= 0) return;
  every_ = std::chrono::microseconds(patience / 2);
  feed();
}

void ServiceNotice::feed() {
  (void)::sd_notify(0, "WATCHDOG=1");
  watchdog_.expires_after(every_);
  watchdog_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed();
  });
}

void ServiceNotice::ready(const std::string& status) {
  (void)::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void ServiceNotice::reloading() { (void)::sd_notify(0, "RELOADING=1"); }

void ServiceNotice::stopping() { (void)::sd_notify(0, "STOPPING=1"); }

}  // namespace lull::desktop
