#pragma once

#include "jobs/gates.hpp"
#include "jobs/wakes.hpp"
#include "runner/supervisor/asker.hpp"
#include "runner/supervisor/job_table.hpp"
#include "runner/supervisor/providers.hpp"
#include "runner/supervisor/runs.hpp"
#include "runner/supervisor/slot_timer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <vector>

namespace lull::supervisor {

/// Says what holds due runs, and has them looked at again when that may have changed. While nothing
/// changes it does not wake up but for a gate whose time comes.
class Gatekeeper {
 public:
  /// All must outlive it.
  Gatekeeper(const boost::asio::any_io_executor& loop, JobTable& jobs, Runs& runs,
             const Launcher& launcher, const os::RunFiles& files);

  /// How long after a boot or a resume nothing is caught up.
  void set_settle(Duration settle) { settle_ = settle; }
  [[nodiscard]] std::vector<Waiting> judge(const ActiveRun& run);
  /// Looks at all due and running runs again, once for all calls until then.
  void look_soon();
  void stop();

 private:
  struct View;
  [[nodiscard]] View look_around(const ActiveRun& run, const GateSpec& when);
  void ask_providers(const GateSpec& when, View& view);
  void ask_programs(const ActiveRun& run, const GateSpec& when, View& view);
  std::optional<Ending> ask(const ActiveRun& run, const std::vector<std::string>& argv);
  /// The first gate that a run needs and that has shut under it, in words.
  std::optional<std::string> lost(const ActiveRun& run);
  void look_at_running();
  void look_again_at(TimePoint instant);
  void look_again_at_changes(const std::vector<Waiting>& waiting, const GateSpec& when,
                             const World& world);
  void note_sleep(const Uptime& now);
  void on_clock();
  void look();

  boost::asio::any_io_executor loop_;
  JobTable* jobs_;
  Runs* runs_;
  Duration settle_{0};
  Wakes wakes_;
  SlotTimer timer_;
  std::optional<TimePoint> armed_;
  bool looking_ = false;  ///< on the way
  Providers providers_;
  Asker asker_;
};

}  // namespace lull::supervisor
