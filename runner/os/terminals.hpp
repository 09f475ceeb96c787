#pragma once

#include "jobs/units.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lull::os {

/// When somebody typed last at a terminal ("tty1", "pts/0"), or up to eight seconds later: its
/// access time, which the kernel sets when a program reads what was typed and not again within the
/// same eight seconds (tty_update_time in drivers/tty/tty_io.c). Nothing where there is no such
/// terminal, and for a console that shows a screen, whose input goes elsewhere.
std::optional<TimePoint> terminal_input(const std::string& terminal);

/// The terminals that somebody is logged in at, as utmp(5) has them, which newer systems do
/// without.
struct TerminalLogin {
  std::string terminal;
  std::string user;
};
std::vector<TerminalLogin> terminal_logins();

}  // namespace lull::os
