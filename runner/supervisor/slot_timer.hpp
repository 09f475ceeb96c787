#pragma once

#include "jobs/units.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <optional>

namespace lull::supervisor {

/// Wakes at an instant of CLOCK_REALTIME, and whenever that clock is set (timerfd_settime(2),
/// TFD_TIMER_CANCEL_ON_SET). Asio's own timers sit on the monotonic clock and notice a step up to
/// five minutes late. Between the two it does not wake at all.
class SlotTimer {
 public:
  /// `on_wake` is called on the loop, for an expiry as for a changed clock: the caller looks at the
  /// time anyway.
  SlotTimer(const boost::asio::any_io_executor& loop, std::function<void()> on_wake);

  /// Replaces the instant; nothing: only a changed clock wakes.
  void arm(std::optional<TimePoint> at);
  void cancel();

 private:
  void wait();
  boost::asio::posix::stream_descriptor timer_;
  std::function<void()> on_wake_;
};

}  // namespace lull::supervisor
