#pragma once

#include "jobs/run.hpp"
#include "runner/os/paths.hpp"
#include "runner/store/store_thread.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace lull::cli {

/// What history gets of a command under `lull run`. History is worth having, but a full disk must
/// not keep a command from running, and a slow one must not keep the loop from looking at other
/// jobs: what fails is said once on stderr, and nothing but `add` and `close` waits.
class CommandRecord {
 public:
  /// `loop` outlives this.
  CommandRecord(const os::InstancePaths& paths, boost::asio::io_context& loop);

  /// Records the start. Returns the run's number, which only the database knows; 0: it cannot be
  /// recorded.
  RunId add(const RunRecord& run);
  void add_level(RunId run, LevelChange level);
  /// Waits until all of it is recorded.
  void close(RunId run, const Ending& ending);
  [[nodiscard]] bool works() const { return thread_ != nullptr; }

 private:
  void submit(store::StoreThread::Work work);

  boost::asio::io_context& loop_;
  std::unique_ptr<store::Store> first_;  ///< until the run has its number
  std::unique_ptr<store::StoreThread> thread_;
  bool warned_ = false;
};

}  // namespace lull::cli
