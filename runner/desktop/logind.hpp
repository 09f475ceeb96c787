#pragma once

#include "jobs/presence.hpp"
#include "runner/desktop/input_source.hpp"
#include "runner/desktop/property_watch.hpp"
#include "runner/desktop/service_link.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lull::desktop {

/// Who is logged in and who wants no idle action, as systemd-logind and elogind say
/// (org.freedesktop.login1(5)).
class Logind {
 public:
  /// `user`: whose sessions are ours; none: everybody's. `on_change` is called on the loop after
  /// something that is told here has become different.
  Logind(const boost::asio::any_io_executor& loop, const std::string& bus_address,
         std::optional<uid_t> user, std::function<void()> on_change);

  /// All there are, without what their terminals tell; nothing while it does not say.
  [[nodiscard]] std::optional<std::vector<SessionReport>> sessions() const;
  /// What it was asked of and has not answered yet, or may soon, having just gone: a session's
  /// name, or its own. Empty: nothing.
  [[nodiscard]] std::string asking() const;
  /// Who holds an "idle" lock that blocks, but for us: "mpv: playing".
  [[nodiscard]] std::vector<std::string> inhibitors() const;
  [[nodiscard]] SourceState state() const;

 private:
  struct Session {
    std::string id;
    uid_t user = 0;
    bool has_settled = false;  ///< it tells of itself, or did not twice
    int failures = 0;
    std::unique_ptr<PropertyWatch> watch;
  };

  Result<void> subscribe();
  void ask();
  void take_sessions(sd_bus_message* reply);
  void watch_session(Session& session, const std::string& path);
  void note_answer(Session& session);
  void on_manager();
  void ask_inhibitors();
  void take_inhibitors(sd_bus_message* reply);
  void forget();
  [[nodiscard]] bool is_idle_inhibited() const;

  boost::asio::any_io_executor loop_;
  std::string bus_address_;
  std::optional<uid_t> user_;
  std::function<void()> on_change_;
  bool is_listed_ = false;
  bool has_answered_ = false;  ///< or is known not to
  bool manager_has_settled_ = false;
  std::map<std::string, Session> sessions_;  ///< by object path
  std::optional<std::vector<std::string>> inhibitors_;
  PropertyWatch manager_;
  ServiceLink link_;  ///< last: what it calls back uses the rest
};

}  // namespace lull::desktop
