#pragma once

#include "runner/desktop/service_notice.hpp"
#include "runner/os/paths.hpp"
#include "runner/supervisor/commands.hpp"
#include "runner/supervisor/file_watch.hpp"
#include "runner/supervisor/followers.hpp"
#include "runner/supervisor/gatekeeper.hpp"
#include "runner/supervisor/pauses.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <string>
#include <vector>

namespace lull::supervisor {

struct SupervisorOptions {
  os::InstancePaths paths;
  bool stop_jobs = false;  ///< when told to end: stop the jobs too, instead of leaving them running
};

/// `lull daemon`: watches the clock, the job files, the control socket and the running jobs on one
/// thread, and sleeps whenever none of them has anything to say.
class Supervisor {
 public:
  /// Takes the instance's lock, opens its store, loads its jobs, takes up what an earlier
  /// supervisor left, and listens. An error means that nothing was started. `loop` must outlive the
  /// supervisor, which ends by stopping it.
  static Result<std::unique_ptr<Supervisor>> make(boost::asio::io_context& loop,
                                                  SupervisorOptions options);

 private:
  /// What can fail, made before the rest.
  struct Base {
    os::Fd lock;
    std::unique_ptr<os::RunFiles> run_files;  // at a fixed address: the launcher points to it
    std::unique_ptr<Launcher> launcher;
    store::Store store;
  };
  static Result<Base> make_base(const os::InstancePaths& paths);
  Supervisor(boost::asio::io_context& loop, SupervisorOptions options, Base base);

  void watch_files();
  void reload();
  void look_at_zone();
  void say_ready();
  void take_up_clocks(const TableChanges& changes);
  void take_up_all(std::vector<store::OpenRun> open, const std::vector<RunId>& files);
  void take_up(store::OpenRun open);
  std::vector<Waiting> judge(const ActiveRun& run);
  void on_run_end(const ActiveRun& run);

  void wait_for_signal();
  void shut_down();

  boost::asio::io_context& loop_;
  SupervisorOptions options_;
  os::Fd lock_;
  std::unique_ptr<os::RunFiles> run_files_;
  std::unique_ptr<Launcher> launcher_;
  Zone zone_;
  store::StoreThread store_;
  JobTable jobs_;
  Runs runs_;
  Gatekeeper gatekeeper_;
  Pauses pauses_;
  Scheduler scheduler_;
  Followers followers_;
  Commands commands_;
  ControlServer control_;
  FileWatch watch_;
  FileWatch zone_watch_;
  desktop::ServiceNotice notice_;
  boost::asio::signal_set signals_;
  bool serving_ = false;  ///< there is a socket to be asked through
  bool took_up_ = false;  ///< the last supervisor's open runs
  bool stopping_ = false;
};

}  // namespace lull::supervisor
