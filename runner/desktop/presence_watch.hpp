#pragma once

#include "jobs/presence.hpp"
#include "runner/desktop/input_source.hpp"
#include "runner/desktop/logind.hpp"
#include "runner/desktop/mutter_idle.hpp"
#include "runner/desktop/property_watch.hpp"
#include "runner/desktop/x_display.hpp"
#include "runner/desktop/x_idle.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lull::desktop {

/// Where the sources of user input are.
struct PresencePlaces {
  std::string system_bus;
  std::string session_bus;    ///< empty: none
  XDisplay display;           ///< without a name: that of the user's session, as logind has it
  std::optional<uid_t> user;  ///< whose sessions count; none: everybody's
  /// Since the boot, sleep included.
  std::function<Duration()> uptime;
  /// The last input of a terminal ("tty1"), where it can be seen.
  std::function<std::optional<TimePoint>(const std::string& tty)> tty_input;
  /// Who is logged in at terminals, where logind does not say.
  std::function<std::vector<SessionReport>()> logins;
};

/// Whether somebody is at the machine, of all who can tell: an X server, Mutter, logind, GNOME's
/// session manager and the terminals. It wakes up when somebody has been away for the wanted time
/// and at the first input after; only terminals tell nothing of themselves, and what they say is
/// read at each question. A source that hangs, floods or goes away is as good as none, and is tried
/// again with growing patience. Wayland's ext-idle-notify and evdev would be further members beside
/// `x_` and `mutter_` that give an InputReport.
class PresenceWatch {
 public:
  /// `on_change` is called on the loop, never during the construction nor a call, after `presence`
  /// may have become different by more than the time that passed.
  PresenceWatch(const boost::asio::any_io_executor& loop, PresencePlaces places,
                std::function<void()> on_change);
  PresenceWatch(const PresenceWatch&) = delete;
  PresenceWatch& operator=(const PresenceWatch&) = delete;
  ~PresenceWatch() = default;

  /// How long without input is of interest. The shortest that was ever wanted is when somebody
  /// counts as away; from then on `presence` knows for how long, so that who wants longer knows
  /// when to look again. Before the first nobody can tell.
  void want(Duration threshold);
  [[nodiscard]] Presence presence(TimePoint now) const;
  /// Each source and what it says, the best first.
  [[nodiscard]] std::vector<SourceState> sources() const;

 private:
  void changed();
  void open_x(const std::string& display);
  void open_x_of_session();
  [[nodiscard]] std::string asking() const;
  [[nodiscard]] SourceState gnome_state() const;
  [[nodiscard]] SourceState terminals_state() const;
  [[nodiscard]] std::vector<std::string> inhibitors() const;
  void add_sessions(PresenceReports& reports) const;

  boost::asio::any_io_executor loop_;
  PresencePlaces places_;
  std::function<void()> on_change_;
  std::optional<Duration> wanted_;  ///< the shortest
  bool is_telling_ = false;         ///< on the way
  bool has_settled_ = false;        ///< all have answered, or had the time to
  bool gnome_has_settled_ = false;
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
  boost::asio::steady_timer first_answers_;
  std::string x_session_;  ///< whose display `x_` has; empty: the given one
  std::unique_ptr<XIdle> x_;
  std::unique_ptr<MutterIdle> mutter_;
  std::unique_ptr<PropertyWatch> gnome_;
  Logind logind_;
};

}  // namespace lull::desktop
