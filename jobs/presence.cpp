#include "jobs/presence.hpp"

#include <algorithm>

namespace lull {
namespace {

/// Clocks are read one after the other, and set by a little now and then.
constexpr Duration kSlack = std::chrono::seconds(2);

bool is_somebodys(const SessionReport& session) {
  // "user", and of newer versions "user-early", "user-light" and so on.
  return session.session_class.starts_with("user") && session.state != "closing";
}

bool is_graphical(const SessionReport& session) {
  return session.type == "x11" || session.type == "wayland" || session.type == "mir";
}

/// ssh without a terminal, as of rsync, is of that type too.
bool is_text(const SessionReport& session) { return session.type == "tty" && !session.tty.empty(); }

/// What is known so far, while the sessions and sources are gone through.
class Findings {
 public:
  Findings(TimePoint booted, TimePoint now) : booted_(booted), now_(now) {}

  void nobody(const std::string& source) { note(kAwayAtOnce, source); }
  void here(const std::string& source, const std::string& because) {
    note(Duration(0), source);
    if (because_.empty()) because_ = because;
  }
  void nobody_can_tell(const std::string& of) {
    if (blind_.empty()) blind_ = of;
  }
  /// A clock that was set makes an instant lie before the boot, or ahead.
  void input(TimePoint last, const std::string& source) {
    note(now_ - std::clamp(last, std::min(booted_, now_), now_), source);
  }
  [[nodiscard]] bool may_be(TimePoint since) const {
    return since >= booted_ - kSlack && since <= now_ + kSlack;
  }

  [[nodiscard]] Presence presence() const {
    if (!because_.empty()) return {Duration(0), because_, source_};
    if (!blind_.empty()) return {std::nullopt, "nobody can see the input of " + blind_, ""};
    return {away_, "", source_};
  }

 private:
  void note(Duration away, const std::string& source) {
    if (away_ && *away_ <= away) return;
    away_ = away;
    source_ = source;
  }

  TimePoint booted_;
  TimePoint now_;
  std::optional<Duration> away_;
  std::string source_;
  std::string because_;
  std::string blind_;
};

/// Which source sees which session.
class Cover {
 public:
  explicit Cover(const PresenceReports& reports) : reports_(&reports) {
    for (const SessionReport& session : reports.sessions) {
      if (!is_somebodys(session)) continue;
      if (is_graphical(session) || is_text(session)) somebody_is_logged_in_ = true;
      if (session.ours) sessions_.push_back(session);
    }
  }

  [[nodiscard]] bool is_anybody_logged_in() const { return somebody_is_logged_in_; }

  [[nodiscard]] const std::vector<SessionReport>& sessions() const { return sessions_; }

  [[nodiscard]] bool sees(const InputReport& input, const SessionReport& session) const {
    if (input.display.empty()) return is_graphical(session);
    if (session.type == "x11" && !session.display.empty()) return session.display == input.display;
    if (is_known(input.display)) return false;
    // Some display managers do not tell, and startx leaves a session the terminal's.
    return session.type == "x11" || (is_text(session) && !session.tty_input);
  }
  [[nodiscard]] bool is_seen(const SessionReport& session) const {
    return std::any_of(reports_->inputs.begin(), reports_->inputs.end(),
                       [&](const InputReport& input) { return sees(input, session); });
  }
  [[nodiscard]] bool is_locked(const InputReport& input) const {
    bool locked = false;
    for (const SessionReport& session : sessions_) {
      if (!sees(input, session)) continue;
      if (!session.locked) return false;
      locked = true;
    }
    return locked;
  }
  [[nodiscard]] bool is_xwayland(const InputReport& input) const {
    if (input.display.empty() || is_known(input.display)) return false;
    return std::any_of(sessions_.begin(), sessions_.end(),
                       [](const SessionReport& session) { return session.type == "wayland"; });
  }

 private:
  /// Whether a session names that display as its own.
  [[nodiscard]] bool is_known(const std::string& display) const {
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const SessionReport& session) {
      return session.type == "x11" && session.display == display;
    });
  }

  const PresenceReports* reports_;
  std::vector<SessionReport> sessions_;  ///< that count
  bool somebody_is_logged_in_ = false;
};

void judge(const InputReport& input, const Cover& cover, Findings& findings) {
  if (cover.is_xwayland(input) || cover.is_locked(input)) return;
  if (input.active) return findings.here(input.source, "there is input at " + input.source);
  findings.input(input.last_input, input.source);
}

void judge_hint(const SessionReport& session, Findings& findings) {
  if (!session.idle) {
    if (session.in_front) findings.here(session.name, session.name + " is not idle, logind says");
  } else if (session.idle_since && findings.may_be(*session.idle_since)) {
    findings.input(*session.idle_since, session.name);
  } else {
    findings.nobody_can_tell(session.name);
  }
}

void judge(const SessionReport& session, const Cover& cover, Findings& findings) {
  if (session.locked) return findings.nobody(session.name);
  if (is_text(session) && session.tty_input) {
    return findings.input(*session.tty_input, session.name);
  }
  if (cover.is_seen(session)) return;
  if (is_graphical(session)) return judge_hint(session, findings);
  if (is_text(session) && session.in_front) findings.nobody_can_tell(session.name);
}

}  // namespace

Presence presence_of(const PresenceReports& reports, TimePoint now) {
  if (!reports.inhibitors.empty()) {
    const std::string& who = reports.inhibitors.front();
    return {Duration(0), "an idle inhibitor: " + who, who};
  }
  if (!reports.asking.empty()) {
    return {std::nullopt, reports.asking + " has not answered yet", "", true};
  }
  const Cover cover(reports);
  Findings findings(reports.booted, now);
  for (const InputReport& input : reports.inputs)
    judge(input, cover, findings);
  for (const SessionReport& session : cover.sessions())
    judge(session, cover, findings);
  if (reports.has_all_sessions && !cover.is_anybody_logged_in()) {
    findings.nobody("logind: nobody is logged in");
  }
  return findings.presence();
}

}  // namespace lull
