#pragma once

#include <optional>
#include <string_view>

namespace lull::cli {

/// How a file that we print to wants its text.
struct Terminal {
  int width = 0;  ///< columns; 0: no limit, as in a file or a pipe
  bool colour = false;
  bool operator==(const Terminal&) const = default;
};

/// What decides it. An absent variable is nullopt.
struct TerminalFacts {
  bool is_terminal = false;
  int columns = 0;  ///< as the terminal says; 0: it does not know
  std::optional<std::string_view> columns_env;
  std::optional<std::string_view> no_color_env;
  std::optional<std::string_view> term_env;
};

/// No colour without a terminal, on a "dumb" one, or with NO_COLOR set to anything but nothing
/// (no-color.org). A terminal that does not know its width has $COLUMNS, else 80.
Terminal terminal_of(const TerminalFacts& facts);

/// The same for a descriptor of ours, with our environment.
Terminal terminal_at(int fd);

}  // namespace lull::cli
