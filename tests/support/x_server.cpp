#include "tests/support/x_server.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"

#include <sys/types.h>

namespace lull::tests {

XServer::XServer(const std::vector<std::string>& options) : options_(options) { start(); }

/// Its output is the number of the display, once it listens (Xserver(1), -displayfd).
void XServer::start() {
  std::vector<std::string> argv{"Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-noreset"};
  if (!display_.empty()) argv.insert(argv.begin() + 1, display_);
  argv.insert(argv.end(), options_.begin(), options_.end());
  server_.emplace(argv, std::vector<std::string>());
  const bool listens = eventually(
      [this] { return server_->ended() || server_->out().find('\n') != std::string::npos; });
  INFO(server_->err());
  REQUIRE(listens);
  REQUIRE_FALSE(server_->ended());
  const std::string number = server_->out();
  display_ = ":" + number.substr(0, number.find('\n'));
}

void XServer::type() const {
  const Finished typed = Child({"xdotool", "key", "shift"}, {"DISPLAY=" + display_}).wait();
  INFO(typed.err);
  REQUIRE(typed.exit_code == 0);
}

std::unique_ptr<Child> XServer::keep_typing() const {
  const std::vector<std::string> argv{"sh", "-c", "while xdotool key shift; do sleep 0.1; done"};
  return std::make_unique<Child>(argv, std::vector<std::string>{"DISPLAY=" + display_});
}

}  // namespace lull::tests
