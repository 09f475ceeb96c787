#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace lull::supervisor {

/// Waits until a descriptor is readable without taking it over.
class Readable {
 public:
  Readable(const boost::asio::any_io_executor& loop, int fd) : descriptor_(loop, fd) {}
  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;
  ~Readable() { (void)descriptor_.release(); }

  /// A hint, as readiness always is.
  boost::asio::awaitable<void> wait();

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

/// Returns when the process of `pidfd` has ended; reaps it when it is our child.
boost::asio::awaitable<void> wait_for_end(boost::asio::any_io_executor loop, int pidfd);

}  // namespace lull::supervisor
