#include "runner/supervisor/slot_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

namespace lull::supervisor {
namespace {

int make_timer() {
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "make the slot timer");
  return fd;
}

/// False: the clock was set since the last time, and it is time to look.
bool set(int timer, const itimerspec& when) {
  const int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (::timerfd_settime(timer, flags, &when, nullptr) == 0) return true;
  if (errno == ECANCELED) return false;
  throw std::system_error(errno, std::generic_category(), "set the slot timer");
}

}  // namespace

SlotTimer::SlotTimer(const boost::asio::any_io_executor& loop, std::function<void()> on_wake)
    : timer_(loop, make_timer()), on_wake_(std::move(on_wake)) {
  arm(std::nullopt);
  wait();
}

void SlotTimer::arm(std::optional<TimePoint> at) {
  // An unarmed timer would not see the clock being set; one at the end of time does.
  const auto since =
      at ? at->time_since_epoch() : std::chrono::seconds(std::numeric_limits<std::int32_t>::max());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  itimerspec when{};
  when.it_value.tv_sec = std::max<std::int64_t>(seconds.count(), 0);
  when.it_value.tv_nsec =
      std::chrono::nanoseconds(since - seconds).count() + (seconds.count() <= 0 ? 1 : 0);
  // Having said so, the kernel says it no more (timerfd_setup in fs/timerfd.c): so at once.
  while (!set(timer_.native_handle(), when))
    when.it_value = {0, 1};
}

void SlotTimer::cancel() { timer_.cancel(); }

void SlotTimer::wait() {
  timer_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (error) return;
                      std::uint64_t expirations = 0;
                      // ECANCELED tells of a set clock; either way it is time to look.
                      (void)!::read(timer_.native_handle(), &expirations, sizeof expirations);
                      wait();
                      on_wake_();
                    });
}

}  // namespace lull::supervisor
