#pragma once

#include "runner/cli/attached_run.hpp"
#include "runner/cli/command_record.hpp"
#include "runner/supervisor/launcher.hpp"
#include "runner/supervisor/providers.hpp"
#include "runner/supervisor/scopes.hpp"
#include "runner/supervisor/user_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>

namespace lull::cli {

/// What `lull run` makes of its run's news: the loop gets the run, history its levels, stderr what
/// the user asked for.
class Attended : public AttachedEvents {
 public:
  /// All of it outlives this.
  struct Parts {
    boost::asio::io_context& loop;
    const JobSpec& spec;
    const RunRecord& run;
    const supervisor::Launcher& launcher;
    supervisor::Launched& launched;
    supervisor::Scopes& scopes;
    CommandRecord& record;
    std::string runtime_dir;
    ForegroundSettings foreground;
    bool verbose;
    bool raw_terminal;
  };

  explicit Attended(const Parts& parts);

  void reported(std::span<const keeper::Report> reports) override;
  void addressed() override;
  void suspending() override { drive_.leave(); }
  void continuing() override { drive_.rejoin(); }
  void ended() override;

  /// How long the run stood still in all; known once it has ended.
  [[nodiscard]] Duration paused() const { return paused_; }
  /// Why the job did not start; with the stage `none` where it did.
  [[nodiscard]] const keeper::Report& failed() const { return failed_; }

 private:
  void take(const keeper::Report& news, std::span<const keeper::Report> all);
  void changed(const LevelChange& level);
  void drive(pid_t main);
  void take_out();

  Parts parts_;
  supervisor::Providers providers_;  ///< of whether somebody is here
  supervisor::UserLoop drive_;
  boost::asio::steady_timer quiet_;
  std::optional<supervisor::DrivenRun> run_;
  keeper::Report failed_;
  std::size_t reported_ = 0;
  Duration paused_{0};
  int leaving_ = 0;
  bool spoken_to_ = false;
  bool ended_ = false;
};

}  // namespace lull::cli
