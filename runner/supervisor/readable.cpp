#include "runner/supervisor/readable.hpp"

#include "runner/os/keeper_process.hpp"
#include "runner/supervisor/coroutine.hpp"

namespace lull::supervisor {

namespace asio = boost::asio;

asio::awaitable<void> Readable::wait() {
  co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, kNoThrow);
}

asio::awaitable<void> wait_for_end(asio::any_io_executor loop, int pidfd) {
  Readable process(loop, pidfd);
  while (!os::has_ended(pidfd))
    co_await process.wait();
}

}  // namespace lull::supervisor
