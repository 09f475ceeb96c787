#include "runner/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace lull::cli {
namespace {

constexpr int kUsualWidth = 80;

std::optional<std::string_view> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(value);
}

int number_or_zero(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value > 0 ? value : 0;
}

}  // namespace

Terminal terminal_of(const TerminalFacts& facts) {
  if (!facts.is_terminal) return {};
  int width = facts.columns;
  if (width <= 0) width = number_or_zero(facts.columns_env.value_or(""));
  const bool refused = !facts.no_color_env.value_or("").empty();
  const bool dumb = facts.term_env.value_or("dumb") == "dumb";
  return {width > 0 ? width : kUsualWidth, !refused && !dumb};
}

Terminal terminal_at(int fd) {
  TerminalFacts facts;
  facts.is_terminal = ::isatty(fd) == 1;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0) facts.columns = size.ws_col;
  facts.columns_env = variable("COLUMNS");
  facts.no_color_env = variable("NO_COLOR");
  facts.term_env = variable("TERM");
  return terminal_of(facts);
}

}  // namespace lull::cli
