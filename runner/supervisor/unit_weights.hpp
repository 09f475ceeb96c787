#pragma once

#include "jobs/priority.hpp"
#include "runner/desktop/service_manager.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>

namespace lull::supervisor {

/// Tells the service manager what a scope or slice of lull's weighs, which was written to its files
/// already: the manager writes what it knows again whenever it reads its units anew.
class UnitWeights {
 public:
  explicit UnitWeights(boost::asio::any_io_executor loop);

  /// Does nothing for a group that is no unit, and does not wait. What fails has no consequence but
  /// at the manager's next reload, and goes to the log.
  void tell(const std::string& folder, const Level& level);

 private:
  boost::asio::any_io_executor loop_;
  std::shared_ptr<desktop::ServiceManager> manager_;  ///< shared with what is under way
};

/// What a unit of a run's, or of several, weighs at a level.
desktop::UnitProperties weights_of(const Level& level);

}  // namespace lull::supervisor
