#include "runner/desktop/presence_watch.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace lull::desktop {
namespace {

constexpr const char* kGnome = "org.gnome.SessionManager";
constexpr std::int64_t kInhibitsIdle = 8;  // of InhibitedActions
/// A little longer than any source is waited for.
constexpr std::chrono::seconds kFirstAnswers{6};

}  // namespace

PresenceWatch::PresenceWatch(const boost::asio::any_io_executor& loop, PresencePlaces places,
                             std::function<void()> on_change)
    : loop_(loop),
      places_(std::move(places)),
      on_change_(std::move(on_change)),
      first_answers_(loop),
      logind_(loop, places_.system_bus, places_.user, [this] { changed(); }) {
  const auto tell = [this] { changed(); };
  if (!places_.display.name.empty()) open_x(places_.display.name);
  if (!places_.session_bus.empty()) {
    mutter_ = std::make_unique<MutterIdle>(loop, places_.session_bus, tell);
    gnome_ = std::make_unique<PropertyWatch>(
        loop, places_.session_bus, kGnome,
        std::vector<PropertyWatch::Object>{{"/org/gnome/SessionManager", kGnome}}, [this] {
          gnome_has_settled_ = true;
          changed();
        });
    gnome_has_settled_ = !gnome_->is_asking();
  }
  first_answers_.expires_after(kFirstAnswers);
  first_answers_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& error) {
    if (error || there.expired()) return;
    has_settled_ = true;
    changed();
  });
}

void PresenceWatch::want(Duration threshold) {
  wanted_ = wanted_ ? std::min(*wanted_, threshold) : threshold;
  if (x_) x_->want(threshold);
  if (mutter_) mutter_->want(threshold);
}

void PresenceWatch::open_x(const std::string& display) {
  x_ = std::make_unique<XIdle>(loop_, XDisplay{display, places_.display.authority_file},
                               [this] { changed(); });
  if (wanted_) x_->want(*wanted_);
}

/// A daemon of the user's starts before the desktop does, and has no $DISPLAY. Root may have no
/// cookie.
void PresenceWatch::open_x_of_session() {
  if (!places_.display.name.empty() || !places_.user) return;
  const auto sessions = logind_.sessions().value_or(std::vector<SessionReport>());
  const auto is_candidate = [](const SessionReport& session) {
    return session.ours && session.type == "x11" && !session.display.empty() &&
           session.session_class == "user";
  };
  const auto has_ours = [&](const SessionReport& session) { return session.name == x_session_; };
  if (std::any_of(sessions.begin(), sessions.end(), has_ours)) return;
  const auto found = std::find_if(sessions.begin(), sessions.end(), is_candidate);
  if (found == sessions.end()) return;
  x_session_ = found->name;
  open_x(found->display);
}

Presence PresenceWatch::presence(TimePoint now) const {
  if (!wanted_) return {};
  PresenceReports reports;
  reports.booted = now - places_.uptime();
  reports.asking = asking();
  if (x_) {
    if (auto input = x_->report(now)) reports.inputs.push_back(std::move(*input));
  }
  if (mutter_) {
    if (auto input = mutter_->report(now)) reports.inputs.push_back(std::move(*input));
  }
  reports.inhibitors = inhibitors();
  add_sessions(reports);
  return presence_of(reports, now);
}

void PresenceWatch::add_sessions(PresenceReports& reports) const {
  auto sessions = logind_.sessions();
  reports.has_all_sessions = sessions.has_value();
  reports.sessions = sessions ? std::move(*sessions) : places_.logins();
  for (SessionReport& session : reports.sessions) {
    if (session.type == "tty" && !session.tty.empty()) {
      session.tty_input = places_.tty_input(session.tty);
    }
  }
}

std::vector<std::string> PresenceWatch::inhibitors() const {
  std::vector<std::string> all = logind_.inhibitors();
  const Properties* const gnome = gnome_ ? gnome_->of(0) : nullptr;
  if (gnome == nullptr) return all;
  const auto actions = value_of<std::int64_t>(*gnome, "InhibitedActions").value_or(0);
  if ((actions & kInhibitsIdle) != 0) all.emplace_back("one that GNOME's session manager knows of");
  return all;
}

SourceState PresenceWatch::gnome_state() const {
  const bool works = gnome_->of(0) != nullptr;
  return {"GNOME's session manager", works, works ? "its inhibitors" : "it is not there",
          gnome_has_settled_};
}

SourceState PresenceWatch::terminals_state() const {
  PresenceReports reports;
  add_sessions(reports);
  const auto count =
      std::count_if(reports.sessions.begin(), reports.sessions.end(),
                    [](const SessionReport& session) { return session.tty_input && session.ours; });
  return {"the terminals", count > 0, std::to_string(count) + " with a login of ours", true};
}

std::vector<SourceState> PresenceWatch::sources() const {
  std::vector<SourceState> all;
  if (mutter_) all.push_back(mutter_->state());
  if (x_) all.push_back(x_->state());
  all.push_back(logind_.state());
  if (gnome_) all.push_back(gnome_state());
  all.push_back(terminals_state());
  return all;
}

/// Until they have answered for the first time: what the others say is not the whole. Later a
/// source of input that is lost is as good as none; but who knows of inhibitors may have been
/// restarted, and a session that is new is asked of.
std::string PresenceWatch::asking() const {
  if (has_settled_) {
    return gnome_ && gnome_->is_asking() ? gnome_state().source : logind_.asking();
  }
  if (mutter_ && !mutter_->state().has_settled) return mutter_->state().source;
  if (x_ && !x_->state().has_settled) return x_->state().source;
  if (!logind_.state().has_settled) return logind_.state().source;
  return gnome_ && !gnome_has_settled_ ? gnome_state().source : "";
}

/// Once for all that has changed by then.
void PresenceWatch::changed() {
  if (std::exchange(is_telling_, true)) return;
  boost::asio::post(loop_, [this, there = std::weak_ptr<const bool>(there_)] {
    if (there.expired()) return;
    is_telling_ = false;
    open_x_of_session();
    if (asking().empty()) {
      has_settled_ = true;
      first_answers_.cancel();
    }
    on_change_();
  });
}

}  // namespace lull::desktop
