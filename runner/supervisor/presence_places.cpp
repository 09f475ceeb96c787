#include "runner/supervisor/presence_places.hpp"

#include "runner/os/account.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/terminals.hpp"

#include <unistd.h>

#include <optional>
#include <vector>

namespace lull::supervisor {
namespace {

std::vector<SessionReport> terminal_sessions(std::optional<uid_t> user) {
  const auto account = os::own_account();
  std::vector<SessionReport> sessions;
  for (const os::TerminalLogin& login : os::terminal_logins()) {
    SessionReport session{"terminal " + login.terminal};
    session.tty = login.terminal;
    session.ours = !user || (account && account->name == login.user);
    sessions.push_back(session);
  }
  return sessions;
}

}  // namespace

desktop::PresencePlaces presence_places() {
  desktop::PresencePlaces places;
  places.system_bus = desktop::system_bus_address();
  places.session_bus = desktop::session_bus_address();
  places.display = desktop::display_of_environment();
  if (::geteuid() != 0) places.user = ::geteuid();
  places.uptime = [] { return os::uptime().since_boot; };
  places.tty_input = os::terminal_input;
  places.logins = [user = places.user] { return terminal_sessions(user); };
  return places;
}

}  // namespace lull::supervisor
