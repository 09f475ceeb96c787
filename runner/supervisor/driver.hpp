#pragma once

#include "jobs/capabilities.hpp"
#include "jobs/decide.hpp"
#include "jobs/looks.hpp"
#include "jobs/run.hpp"
#include "jobs/slice.hpp"
#include "runner/os/actuator.hpp"
#include "runner/os/freezer.hpp"
#include "runner/os/sampler.hpp"
#include "runner/supervisor/unit_weights.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lull::supervisor {

using os::RunKey;

/// A run that was started, with what the loop needs to know of it.
struct DrivenRun {
  RunKey key = 0;
  os::RunProcesses processes;
  PrioritySpec priority;
  Capabilities can;
  Level level;                           ///< what it was given last, so far as that is known
  Foreground state = Foreground::light;  ///< that the level is for
  bool fresh = true;  ///< it was just started with it; else whoever drove it is gone
  /// Why it is to stand still whatever the foreground does; none: nobody asks for that.
  std::optional<std::string> held = std::nullopt;
};

/// A run's level changed.
struct Change {
  RunKey key = 0;
  LevelChange level;
  Duration paused{0};  ///< how long it stood still until now
};

/// The loop: observes the foreground, decides, acts. Only while there is a run that moves with the
/// foreground; then a sample every 100 ms, 50 ms in the first second after a change; when nothing
/// has changed beside a light foreground 200 ms after 20 s and 500 ms after a minute. When it goes,
/// however it goes, no run stays frozen: it thaws them, or their keepers do.
class Driver {
 public:
  using OnChange = std::function<void(const Change&)>;

  Driver(const boost::asio::any_io_executor& loop, const ForegroundSettings& settings,
         OnChange on_change);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void set_settings(const ForegroundSettings& settings) { settings_ = settings; }

  /// One that this very process is part of is left at its level.
  void add(DrivenRun run);
  /// Lets go of a run, which is thawed. Returns how long it stood still in all.
  Duration remove(RunKey key);
  /// Has a run stand still from now on, for this reason, or go on again (none). One that is never
  /// paused goes on, and its next change says why it was to stand still.
  void hold(RunKey key, std::optional<std::string> reason);
  /// Since when nobody is at the machine; none: no source, so someone is. `threshold` is how long
  /// counts as away.
  using UserAway = std::function<std::optional<Duration>(Duration threshold)>;
  /// Asked once a second while there are runs to drive.
  void set_user_away(UserAway source) { user_away_source_ = std::move(source); }

  /// What the loop thinks of a run and why, one sentence each.
  [[nodiscard]] std::vector<std::string> why(RunKey key) const;
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  /// The worst state that any run is in: what a run that starts now begins with.
  [[nodiscard]] Foreground state() const;

 private:
  enum Hold : std::size_t { kForPause, kForTurn, kForSlice, kForAutogroup, kHolds };
  struct Driven {
    DrivenRun run;
    os::Actuator actuator;
    os::Freezer freezer;
    PolicyState state;
    std::variant<Level, Pause> what;
    std::string reason;
    std::array<bool, kHolds> holds{};  ///< why it stands still
    Instant frozen_since{0};
    Duration frozen{0};
    os::Use use;  ///< at the last sample
    Instant last_io{-1};
    double cpu = 0;        ///< CPUs, while it may run
    bool settled = false;  ///< what it has is surely what was decided
  };

  [[nodiscard]] bool has_work() const;
  [[nodiscard]] static bool is_moved(const Driven& driven);
  [[nodiscard]] static bool is_held(const Driven& driven);
  void begin_to_look();
  void wake_at(Instant when);
  void tick();
  void take_sample(Instant now);
  [[nodiscard]] Duration until_next_sample(Instant now) const;
  void observe(const os::Use& use, Driven& driven, Instant now) const;
  [[nodiscard]] std::optional<Observation> look(const Sample& sample);
  void forget(Instant now);
  void report();
  void decide_all(const Observation& seen);
  void decide_one(Driven& driven, const Observation& seen);
  void act(Driven& driven, const Decision& decision, Instant now);
  void take_turns(Instant now);
  [[nodiscard]] std::map<std::string, Level> wanted_group_levels() const;
  void weigh_groups();
  void look_after_autogroups(Instant now);
  Duration slice(Instant now);
  [[nodiscard]] SliceInput ear(Instant now);
  [[nodiscard]] bool is_sliced(const Driven& driven, Instant now) const;
  [[nodiscard]] static bool may_be_held(const Driven& driven);
  [[nodiscard]] static bool uses_disk(const Driven& driven, Instant now);
  void hold(Driven& driven, Hold why, bool on, Instant now);
  void hold_from_now(Driven& driven, Instant now);
  [[nodiscard]] bool would_be_news(const Observation& seen) const;
  void note_change(Instant now);

  boost::asio::steady_timer timer_;
  ForegroundSettings settings_;
  OnChange on_change_;
  os::Sampler sampler_;
  std::map<RunKey, Driven> runs_;
  Looks looks_;
  SliceState slice_;
  Observation seen_;
  UserAway user_away_source_;
  std::optional<Duration> user_away_;
  Instant user_asked_for_{0};
  Instant last_sample_{0};
  Instant others_io_{-1};  ///< when runs of other lulls last did I/O; -1: never
  Instant next_sample_{0};
  Instant next_slice_{0};
  Instant others_looked_for_{0};
  Instant last_change_{0};
  Instant forgot_{0};
  std::map<std::string, Level> group_levels_;  ///< what lull's groups weigh
  UnitWeights units_;
  std::vector<Change> changes_;                                             ///< not yet told
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< ends with us
};

/// CLOCK_MONOTONIC.
Instant steady_now();

}  // namespace lull::supervisor
