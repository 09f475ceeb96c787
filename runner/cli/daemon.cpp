#include "runner/cli/daemon.hpp"

#include "runner/supervisor/supervisor.hpp"

#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>

namespace lull::cli {
namespace {

/// Descriptors 0 to 2 must be there before we open others.
void fill_stdio() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

}  // namespace

int run_daemon(const InstanceOptions& instance, const DaemonOptions& options) {
  fill_stdio();
  std::signal(SIGPIPE, SIG_IGN);  // clients come and go
  spdlog::set_level(options.verbose ? spdlog::level::debug : spdlog::level::info);

  boost::asio::io_context loop(1);
  auto supervisor = supervisor::Supervisor::make(
      loop, {.paths = paths_of(instance), .stop_jobs = options.stop_jobs});
  if (!supervisor) {
    complain(supervisor.error().what());
    return kFailed;
  }
  loop.run();
  return kDone;
}

}  // namespace lull::cli
