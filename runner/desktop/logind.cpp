#include "runner/desktop/logind.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

namespace lull::desktop {
namespace {

constexpr const char* kName = "logind";
constexpr const char* kService = "org.freedesktop.login1";
constexpr const char* kPath = "/org/freedesktop/login1";
constexpr const char* kManager = "org.freedesktop.login1.Manager";
constexpr const char* kSession = "org.freedesktop.login1.Session";
/// By what name we hold locks.
constexpr std::string_view kOurselves = "lull";

/// Whether a list such as "sleep:idle" has "idle".
bool names_idle(std::string_view what) {
  const std::string all = ':' + std::string(what) + ':';
  return all.find(":idle:") != std::string::npos;
}

std::string text_of(const Properties& session, std::string_view name, const char* otherwise) {
  return value_of<std::string>(session, name).value_or(otherwise);
}

bool is_set(const Properties& session, std::string_view name, bool otherwise) {
  return value_of<bool>(session, name).value_or(otherwise);
}

std::string name_of(const std::string& id) { return "session " + id; }

SessionReport report_of(const std::string& id, const Properties& session) {
  SessionReport report;
  report.name = name_of(id);
  report.type = text_of(session, "Type", "unspecified");
  report.session_class = text_of(session, "Class", "user");
  report.state = text_of(session, "State", "active");
  report.in_front = is_set(session, "Active", true);
  report.display = text_of(session, "Display", "");
  report.locked = is_set(session, "LockedHint", false);
  report.idle = is_set(session, "IdleHint", false);
  if (const auto since = value_of<std::int64_t>(session, "IdleSinceHint")) {
    report.idle_since = TimePoint(Duration(*since));
  }
  report.tty = text_of(session, "TTY", "");
  return report;
}

/// One of which it says nothing: whose input nobody can see, as far as is known.
SessionReport unknown(const std::string& id) {
  SessionReport report;
  report.name = name_of(id);
  report.type = "tty";
  report.tty = "?";
  return report;
}

}  // namespace

Logind::Logind(const boost::asio::any_io_executor& loop, const std::string& bus_address,
               std::optional<uid_t> user, std::function<void()> on_change)
    : loop_(loop),
      bus_address_(bus_address),
      user_(user),
      on_change_(std::move(on_change)),
      manager_(loop, bus_address, kService, {{kPath, kManager}}, [this] { on_manager(); }),
      link_(loop, bus_address, kService,
            {[this] { return subscribe(); }, [this] { ask(); }, [this] { forget(); }}) {
  manager_has_settled_ = !manager_.is_asking();
  link_.open();
}

std::optional<std::vector<SessionReport>> Logind::sessions() const {
  if (!is_listed_) return std::nullopt;
  std::vector<SessionReport> reports;
  for (const auto& [path, session] : sessions_) {
    const Properties* const properties = session.watch->of(0);
    reports.push_back(properties != nullptr ? report_of(session.id, *properties)
                                            : unknown(session.id));
    reports.back().ours = !user_ || *user_ == session.user;
  }
  return reports;
}

std::string Logind::asking() const {
  if (manager_.is_asking()) return kName;
  const auto found = std::find_if(sessions_.begin(), sessions_.end(),
                                  [](const auto& session) { return !session.second.has_settled; });
  return found == sessions_.end() ? "" : name_of(found->second.id);
}

std::vector<std::string> Logind::inhibitors() const {
  if (!is_idle_inhibited()) return {};
  return inhibitors_.value_or(std::vector<std::string>{"one that logind knows of"});
}

SourceState Logind::state() const {
  const bool settled = has_answered_ && manager_has_settled_ && asking().empty();
  return {kName, is_listed_,
          is_listed_ ? std::to_string(sessions_.size()) + " sessions" : "it is not there", settled};
}

Result<void> Logind::subscribe() {
  for (const char* const change : {"SessionNew", "SessionRemoved"}) {
    auto watched = link_.watch(kPath, kManager, change, [this](sd_bus_message*) { ask(); });
    if (!watched) return watched;
  }
  return boost::system::in_place_value;
}

void Logind::ask() {
  const auto message = link_.method(kPath, kManager, "ListSessions");
  if (!message) return;
  link_.call(*message, [this](const Result<sd_bus_message*>& reply) {
    if (reply) return take_sessions(*reply);
    forget();
  });
}

/// Those that are known already stay as they are. One that did not tell of itself and is still
/// there is asked once more.
void Logind::take_sessions(sd_bus_message* reply) {
  if (sd_bus_message_enter_container(reply, 'a', "(susso)") <= 0) return forget();
  std::set<std::string> listed;
  const char* id = nullptr;
  std::uint32_t user = 0;
  const char* name = nullptr;
  const char* seat = nullptr;
  const char* path = nullptr;
  while (sd_bus_message_read(reply, "(susso)", &id, &user, &name, &seat, &path) > 0) {
    listed.insert(path);
    Session& session = sessions_[path];
    session.id = id;
    session.user = user;
    if (!session.watch || (session.failures > 0 && !session.has_settled)) {
      watch_session(session, path);
    }
  }
  std::erase_if(sessions_, [&](const auto& session) { return !listed.contains(session.first); });
  is_listed_ = true;
  has_answered_ = true;
  on_change_();
}

void Logind::watch_session(Session& session, const std::string& path) {
  session.watch = std::make_unique<PropertyWatch>(
      loop_, bus_address_, kService, std::vector<PropertyWatch::Object>{{path, kSession}},
      [this, &session] { note_answer(session); });
  if (!session.watch->is_asking()) session.has_settled = true;  // there is no bus for it
}

/// One that has gone meanwhile is not on the next list, and one that will not tell is as good as
/// unknown the second time.
void Logind::note_answer(Session& session) {
  const bool tells = session.watch->of(0) != nullptr;
  if (tells || session.watch->is_asking()) {
    session.has_settled = session.has_settled || tells;
  } else if (++session.failures > 1) {
    session.has_settled = true;
  } else if (!session.has_settled) {
    ask();
  }
  on_change_();
}

bool Logind::is_idle_inhibited() const {
  const Properties* const manager = manager_.of(0);
  if (manager == nullptr || (inhibitors_ && inhibitors_->empty())) return false;
  return names_idle(text_of(*manager, "BlockInhibited", ""));
}

/// The list tells of no changes, but every first and last lock of a kind is one of the property.
void Logind::on_manager() {
  manager_has_settled_ = true;
  inhibitors_.reset();
  if (is_idle_inhibited()) ask_inhibitors();
  on_change_();
}

void Logind::ask_inhibitors() {
  const auto message = link_.method(kPath, kManager, "ListInhibitors");
  if (!message) return;
  link_.call(*message, [this](const Result<sd_bus_message*>& reply) {
    if (reply) take_inhibitors(*reply);
  });
}

void Logind::take_inhibitors(sd_bus_message* reply) {
  if (sd_bus_message_enter_container(reply, 'a', "(ssssuu)") <= 0) return;
  std::vector<std::string> found;
  const char* what = nullptr;
  const char* who = nullptr;
  const char* why = nullptr;
  const char* mode = nullptr;
  std::uint32_t user = 0;
  std::uint32_t process = 0;
  while (sd_bus_message_read(reply, "(ssssuu)", &what, &who, &why, &mode, &user, &process) > 0) {
    const bool blocks = std::string_view(mode) == "block" && names_idle(what);
    if (blocks && who != kOurselves) found.push_back(std::string(who) + ": " + why);
  }
  inhibitors_ = std::move(found);
  on_change_();
}

void Logind::forget() {
  sessions_.clear();
  inhibitors_.reset();
  is_listed_ = false;
  has_answered_ = true;
  on_change_();
}

}  // namespace lull::desktop
