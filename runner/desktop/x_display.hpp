#pragma once

#include "jobs/result.hpp"

#include <string>
#include <string_view>

namespace lull::desktop {

/// Which X server to ask, and where the right to do so is.
struct XDisplay {
  std::string name;            ///< as $DISPLAY has it, ":0"; empty: none
  std::string authority_file;  ///< xauth(1)'s; empty: none
};

/// What $DISPLAY and $XAUTHORITY say. None beside $WAYLAND_DISPLAY: it would be Xwayland, which
/// sees no input but that of its own windows.
XDisplay display_of_environment();

/// A display of this machine.
struct LocalDisplay {
  std::string number;  ///< "0"
  std::string socket;  ///< the path of its socket
};

/// Reads "[unix]:N[.S]", or a path to the socket, as libxcb does (its xcb_parse_display). A display
/// of another machine (ssh -X) is an error: what is typed there is not typed here.
Result<LocalDisplay> parse_display(std::string_view name);

/// The MIT-MAGIC-COOKIE-1 for a local display in an Xauthority file's contents (the format:
/// Xau(3)); empty where there is none.
std::string find_cookie(std::string_view authority, std::string_view host,
                        std::string_view display_number);

}  // namespace lull::desktop
