#pragma once

#include "jobs/gates.hpp"
#include "jobs/hold.hpp"
#include "jobs/run.hpp"
#include "jobs/spec.hpp"
#include "jobs/turns.hpp"
#include "runner/store/store_thread.hpp"
#include "runner/supervisor/launcher.hpp"
#include "runner/supervisor/scopes.hpp"
#include "runner/supervisor/user_loop.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lull::supervisor {

/// A recorded run that has not ended.
struct ActiveRun {
  enum class State { due, starting, running };

  ActiveRun(const boost::asio::any_io_executor& loop, RunRecord recorded,
            std::shared_ptr<const JobSpec> job);

  RunRecord record;
  std::shared_ptr<const JobSpec> spec;
  State state = State::due;
  std::vector<Waiting> waiting;  ///< while it is due: what holds it, but for its turn
  pid_t main_pid = 0;            ///< of the job, once it runs
  os::Fd keeper;                 ///< pidfd, once there is one
  bool by_hand = false;          ///< takes no place
  bool stopping = false;
  std::string stopped_because;      ///< where nobody did it by hand
  bool driven = false;              ///< the loop has it
  Holds holds;                      ///< who else wants it to stand still
  bool asked_loop_to_hold = false;  ///< or not to hold it any more, and has heard nothing yet
  Duration paused{0};               ///< how long it stood still, as the loop said last
  Foreground started_in = Foreground::light;
  bool closed = false;                ///< it has ended, and the store has been told
  boost::asio::steady_timer changed;  ///< never expires; cancelled at every change of the above

  /// Returns when something has changed, or the run has ended.
  boost::asio::awaitable<void> wait_for_change();
  void announce() { changed.cancel(); }
  [[nodiscard]] bool ended() const { return record.ending.has_value(); }
  /// When it is to start although its gates are shut, by its job's definition.
  [[nodiscard]] std::optional<TimePoint> deadline() const;
  /// It stands still: the loop holds it, for the foreground's sake or as it was asked to.
  [[nodiscard]] bool is_paused() const {
    return !record.levels.empty() && record.levels.back().level == to_string(Pause{});
  }
};

using ActiveRunPtr = std::shared_ptr<ActiveRun>;

/// The runs under way: started when nothing holds them and it is their turn (jobs/turns.hpp), as
/// many at once as the settings allow, each followed by a coroutine from its keeper's start to its
/// recorded end.
class Runs {
 public:
  using OnEnd = std::function<void(const ActiveRun&)>;
  /// What holds a due run; nothing: it may start.
  using Judge = std::function<std::vector<Waiting>(const ActiveRun&)>;

  /// `runtime_dir`: where this user's lulls agree on who drives all their runs.
  Runs(boost::asio::any_io_executor loop, Launcher& launcher, store::StoreThread& store,
       const os::RunFiles& files, const std::string& runtime_dir, OnEnd on_end);

  void set_foreground(const ForegroundSettings& settings) { drive_.set_settings(settings); }
  /// Who tells the loop whether somebody is at the machine.
  void set_user_away(Driver::UserAway source) { drive_.set_user_away(std::move(source)); }
  /// What the loop thinks of a run that is under way, one sentence each.
  boost::asio::awaitable<std::vector<std::string>> why(ActiveRunPtr run);

  /// For what is started from now on: look_at_due.
  void set_places(const Places& limit) { places_ = limit; }
  /// Before the first run is added. Asked of each due run when it is added, and by look_at_due.
  void set_judge(Judge judge) { judge_ = std::move(judge); }
  /// Asks again what holds each due run, and starts what may.
  void look_at_due();
  /// Due runs of the job are started by this definition.
  void redefine(const std::shared_ptr<const JobSpec>& spec);
  /// Starts a due run at once, whatever it waits for but an earlier run of its job; false: that
  /// goes on.
  bool start_now(const ActiveRunPtr& run);
  /// Why a run is to stand still, as one holder sees it; nothing: it may go on.
  using ToHold = std::function<std::optional<std::string>(const ActiveRun&)>;
  /// Holds a run that has started, or lets it go on as far as this holder is concerned. The place
  /// that it leaves is taken by look_at_due.
  void hold(ActiveRun& run, Holder by, std::optional<std::string> reason);
  /// The same with each run that has started.
  void hold_each(Holder by, const ToHold& to_hold);
  /// Stops each run that has started for which there is a reason, which its end will tell.
  void stop_each(const ToHold& to_stop);
  /// Returns when the loop has done what it was asked to by then, with the job's runs or with all
  /// ("").
  boost::asio::awaitable<void> holds_took_effect(std::string job);
  /// What keeps a run from its start while it is due: what holds it, else its turn.
  [[nodiscard]] std::vector<Waiting> waits_for(const ActiveRun& run) const;

  /// Takes up a run that the store has; it starts when its turn comes, at once when `by_hand`.
  ActiveRunPtr add(RunRecord record, std::shared_ptr<const JobSpec> spec, bool by_hand);
  /// Takes up a run whose keeper an earlier supervisor started.
  void adopt(RunRecord record, std::shared_ptr<const JobSpec> spec,
             const os::ProcessIdentity& keeper);

  /// Closes the job's due runs, which are not to be started any more, as skipped.
  void skip_due(std::string_view job, const std::string& reason);
  /// Closes a run that will not be started, as skipped.
  void drop(RunRecord record, std::shared_ptr<const JobSpec> spec, std::string reason);

  /// Ends a run: SIGTERM to its tree and, after the job's stop_timeout, SIGKILL. A run that is only
  /// due ends at once.
  void stop(ActiveRun& run);
  /// Stops all of them and starts no more.
  void stop_all();
  /// Starts no more; what runs goes on, with nobody to follow it.
  void release();
  /// Lets another lull of this user drive the runs, until `come_back`.
  void stand_aside() { drive_.leave(); }
  void come_back() { drive_.rejoin(); }

  /// The job's run that is under way or due; of several the oldest.
  [[nodiscard]] ActiveRunPtr of_job(std::string_view job) const;
  /// Whether a run of the job waits for more than its turn.
  [[nodiscard]] bool is_held(std::string_view job) const;
  [[nodiscard]] bool empty() const { return active_.empty(); }

 private:
  void take_place(const ActiveRun& run, int sign = 1);
  ActiveRunPtr track(RunRecord record, std::shared_ptr<const JobSpec> spec);
  void start_next();
  void spawn_follower(const ActiveRunPtr& run, boost::asio::awaitable<void> follower);
  boost::asio::awaitable<void> live(ActiveRunPtr run);
  boost::asio::awaitable<void> live_adopted(ActiveRunPtr run, os::ProcessIdentity keeper);
  boost::asio::awaitable<void> follow_reports(ActiveRunPtr run, Launched& launched);
  void now_runs(ActiveRun& run, pid_t pid, const char* how);
  void note_start_level(ActiveRun& run, const Launched& launched,
                        std::span<const keeper::Report> reports, const std::string& reason);
  void note_level(ActiveRun& run, LevelChange level);
  void note_change(const Change& change);
  void drive(const ActiveRun& run, const os::ProcessIdentity& keeper, bool fresh);
  void release_for_stop(ActiveRun& run);
  [[nodiscard]] bool awaits_loop(std::string_view job) const;
  boost::asio::awaitable<void> undrive(ActiveRunPtr run);
  void end(const ActiveRunPtr& run, Ending ending);
  void forget(const ActiveRunPtr& run);

  boost::asio::any_io_executor loop_;
  Launcher* launcher_;
  store::StoreThread* store_;
  const os::RunFiles* files_;
  UserLoop drive_;
  Scopes scopes_;
  OnEnd on_end_;
  std::map<RunId, ActiveRunPtr> active_;
  std::multimap<std::string, ActiveRunPtr, std::less<>>
      of_jobs_;                     ///< the same by job, oldest first
  std::deque<ActiveRunPtr> queue_;  ///< those that are due, as they came
  Judge judge_ = [](const ActiveRun&) { return std::vector<Waiting>(); };
  std::multiset<std::string> started_jobs_;  ///< those that have a process
  Places places_{1, 1};
  Places taken_;
  std::vector<std::shared_ptr<boost::asio::steady_timer>> on_news_;  ///< who waits for the loop
  bool accepting_ = true;
};

}  // namespace lull::supervisor
