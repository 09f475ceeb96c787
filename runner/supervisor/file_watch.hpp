#pragma once

#include "jobs/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>

namespace lull::supervisor {

/// Tells when something in a set of folders has been written, renamed or removed (inotify(7)), once
/// for a burst: editors write a file in several steps, `git checkout` many files at once.
class FileWatch {
 public:
  FileWatch(const boost::asio::any_io_executor& loop, std::function<void()> on_change);

  Result<void> add(const std::string& folder);
  void cancel();

 private:
  void wait();
  void tell_later();
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::steady_timer settle_;
  std::function<void()> on_change_;
  bool is_telling_ = false;                                                 ///< on the way
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
};

}  // namespace lull::supervisor
