#pragma once

#include "jobs/units.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lull {

/// Who sees each input of a graphical session itself: an X server, a compositor.
struct InputReport {
  std::string source;         ///< "the X server :0"
  std::string display = {};   ///< the X display that it sees; empty: all graphical sessions
  bool active = true;         ///< there may have been input at any moment; it will tell when not
  TimePoint last_input = {};  ///< where it is not active
};

/// A login, as logind(8) has it, or of utmp(5) its terminal alone.
struct SessionReport {
  std::string name;                       ///< "session 3"
  std::string type = "tty";               ///< "x11", "wayland", "mir", "tty", "unspecified", …
  std::string session_class = "user";     ///< "user", "greeter", "background", …
  std::string state = "active";           ///< "active", "online", "closing"
  bool in_front = true;                   ///< its seat shows it
  std::string display = {};               ///< of an X11 session, where it is told
  bool locked = false;                    ///< LockedHint
  bool idle = false;                      ///< IdleHint
  std::optional<TimePoint> idle_since{};  ///< IdleSinceHint
  std::string tty = {};                   ///< "tty1", "pts/0"; empty: it has no terminal
  std::optional<TimePoint> tty_input{};   ///< none: nobody can see the terminal's input
  bool ours = true;                       ///< of a user whose input counts
};

/// All that is known of whether somebody is at the machine.
struct PresenceReports {
  TimePoint booted;
  std::string asking = {};  ///< who was asked just now and has not answered; empty: nobody
  std::vector<InputReport> inputs = {};
  std::vector<SessionReport> sessions = {};
  bool has_all_sessions = false;             ///< logind lists them: who is not there is away
  std::vector<std::string> inhibitors = {};  ///< who wants the screen on: "mpv: playing"
};

/// Whether somebody is at the machine.
struct Presence {
  /// Since the last input; kAwayAtOnce behind a locked screen. None: nobody can tell, so somebody
  /// is here.
  std::optional<Duration> away;
  /// Where somebody certainly is, or must be taken to be, until a source has news; else empty.
  std::string here_because;
  std::string source;   ///< who saw the last input
  bool asking = false;  ///< somebody is taken to be here only until a source has answered
  bool operator==(const Presence&) const = default;
};

/// Longer than anybody asks for.
inline constexpr Duration kAwayAtOnce = Duration::max();

/// What the reports come to at `now`. The last input anywhere counts, and:
/// - an idle inhibitor, and a source that has yet to answer, mean that somebody is here;
/// - sessions of another class than "user" (greeters, background jobs) and closing ones are
///   nobody's;
/// - behind a locked screen nobody is, whatever input its session had;
/// - who sees input itself is believed about its sessions: a compositor about all graphical ones,
///   an X server about its own. One beside a Wayland session is Xwayland, which sees a part only,
///   and is not asked at all;
/// - of other graphical sessions logind's IdleHint is believed: no, because nobody may have set
///   it, means that somebody is here; yes counts since IdleSinceHint, if that lies between the
///   boot and now. Else nobody can tell;
/// - a terminal's session says when its terminal was read; where nobody can see that and no X
///   server was started from it, nobody can tell;
/// - who is not in front of its seat, or has neither screen nor terminal, says nothing;
/// - where all sessions are known, and no user has one with a screen or a terminal, nobody is
///   here.
/// Where nobody can tell of one session, nobody can tell at all; only input elsewhere does.
Presence presence_of(const PresenceReports& reports, TimePoint now);

}  // namespace lull
