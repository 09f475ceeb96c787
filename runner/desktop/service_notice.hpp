#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <string>

namespace lull::desktop {

/// What the service manager is told of this process (sd_notify(3)). Where the unit has
/// WatchdogSec=, that includes twice in that time that the loop still turns. In a process that was
/// not started as such a service it does nothing.
class ServiceNotice {
 public:
  explicit ServiceNotice(const boost::asio::any_io_executor& loop);

  /// It does its work from now on. `status`: one line for people.
  void ready(const std::string& status);
  void reloading();
  void stopping();

 private:
  void feed();

  boost::asio::steady_timer watchdog_;
  std::chrono::microseconds every_{0};
};

}  // namespace lull::desktop
