#pragma once

#include "jobs/pause.hpp"
#include "runner/store/store_thread.hpp"
#include "runner/supervisor/runs.hpp"
#include "runner/supervisor/slot_timer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace lull::supervisor {

/// Why a run stands still under one.
inline constexpr const char* kPausedByHand = "paused by hand";

/// The pauses by hand: what is due under one waits, what goes on when one begins is held, and each
/// ends at its time by itself. Wakes for an end and a set clock alone.
class Pauses {
 public:
  /// All must outlive it; `zone` is for what people read.
  Pauses(const boost::asio::any_io_executor& loop, const Zone& zone, Runs& runs,
         store::StoreThread& store);

  /// Those that the store had, before the first run is added.
  void take_up(HandPauses kept);
  /// Once the runs of an earlier supervisor have been taken up: holds those that it held.
  void hold_runs();
  void stop() { timer_.cancel(); }

  // Each takes effect at once, and returns what is to be recorded.

  /// Replaces the pause of a job or of kAllJobs.
  store::StoreThread::Work pause(const std::string& job, const HandPause& pause);
  /// Ends the job's own; for kAllJobs every one.
  store::StoreThread::Work resume(const std::string& job);

  [[nodiscard]] bool has_own(std::string_view job) const { return pauses_.contains(job); }
  /// What the job is under, its own or that of all.
  [[nodiscard]] std::optional<HandPause> of(std::string_view job) const;
  /// The pause as a gate of the job's due runs, which no deadline opens; nothing: it is open.
  [[nodiscard]] std::optional<Waiting> gate(std::string_view job) const;

 private:
  void on_clock();
  void apply();

  const Zone* zone_;
  Runs* runs_;
  store::StoreThread* store_;
  HandPauses pauses_;
  SlotTimer timer_;
};

}  // namespace lull::supervisor
