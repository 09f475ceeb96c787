#pragma once

#include "tests/support/daemon.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lull::tests {

/// An X server of the test's own, without a screen, and somebody who types there.
class XServer {
 public:
  /// Takes connections when it returns. `options`: more of Xvfb(1)'s.
  explicit XServer(const std::vector<std::string>& options = {});

  [[nodiscard]] const std::string& display() const { return display_; }
  [[nodiscard]] pid_t pid() const { return server_->pid(); }
  /// Types one key.
  void type() const;
  /// Types until what it returns is gone.
  [[nodiscard]] std::unique_ptr<Child> keep_typing() const;
  void end() { server_.reset(); }
  /// Again, with the same display.
  void start();

 private:
  std::vector<std::string> options_;
  std::string display_;
  std::optional<Child> server_;
};

}  // namespace lull::tests
