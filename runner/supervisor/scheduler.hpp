#pragma once

#include "jobs/due.hpp"
#include "runner/store/store_thread.hpp"
#include "runner/supervisor/job_table.hpp"
#include "runner/supervisor/runs.hpp"
#include "runner/supervisor/slot_timer.hpp"

#include <string>
#include <vector>

namespace lull::supervisor {

/// Turns passed slots into recorded runs: first the store, then a process.
class Scheduler {
 public:
  /// All must outlive the scheduler.
  Scheduler(const boost::asio::any_io_executor& loop, JobTable& jobs, Runs& runs,
            store::StoreThread& store);

  /// From when on the awake clock counts: what the store had when this boot began.
  void set_awake_at_start(Duration awake) { awake_at_start_ = awake; }
  [[nodiscard]] Clocks clocks() const;

  /// Puts every job's next due instant on the agenda, also those that have passed.
  void look_at_all();
  void forget(const std::string& job);
  void stop();

  /// When the job is due next, jitter included.
  [[nodiscard]] std::optional<TimePoint> next(std::string_view job) const;

 private:
  /// One job's slot on its way through the store.
  enum class Fate {
    run,
    skip,  ///< the last run goes on, and the job says to skip then
    join,  ///< an earlier slot's run waits for a gate, and will do for this one too
  };
  struct Slot {
    std::string job;
    Due due;
    Clocks considered_before;
    Fate fate = Fate::run;
    std::optional<RunId> run;  ///< nothing: recorded before, or there is none of its own
  };
  using Slots = std::shared_ptr<std::vector<Slot>>;

  void on_clock();
  void look_at(const JobEntry& job, const Clocks& now);
  [[nodiscard]] std::optional<Slot> due_slot(JobEntry& job, const Clocks& now);
  [[nodiscard]] Fate fate_of(const JobEntry& job) const;
  static void write(store::Store& store, Slot& slot, TimePoint now, const std::string& boot);
  void record(const Slots& slots, const Clocks& now);
  void start(const Slots& slots);
  void start_slot(const Slot& slot);
  void try_again(const Slots& slots);

  JobTable* jobs_;
  Runs* runs_;
  store::StoreThread* store_;
  Agenda agenda_;
  SlotTimer timer_;
  Duration awake_at_start_{0};
  bool stopped_ = false;
};

}  // namespace lull::supervisor
