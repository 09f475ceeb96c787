#pragma once

#include "tests/support/daemon.hpp"
#include "tests/support/temp_folder.hpp"

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace lull::tests {

/// A message bus of the test's own.
class BusDaemon {
 public:
  /// Listens when it returns.
  BusDaemon();
  void end() { daemon_.reset(); }
  /// Again, at the same address.
  void start();
  [[nodiscard]] std::string address() const { return "unix:path=" + folder_.path("bus"); }

 private:
  TempFolder folder_;
  std::optional<Child> daemon_;
};

/// A service on such a bus, played by python-dbusmock from one of its templates.
class MockService {
 public:
  /// `template_name`: one that comes with it, or the path of a .py. `name`: what the template takes
  /// on the bus. It is there when this returns.
  MockService(const BusDaemon& bus, const std::string& template_name, std::string name);

  /// Changes a property and tells of it; type and value as busctl(1) has them.
  void set(const std::string& object, const std::string& interface, const std::string& property,
           const std::string& type, const std::string& value) const;
  /// Calls a method of it; the words after its name as busctl(1) has them: signature and arguments.
  void call(const std::string& object, const std::string& interface, const std::string& method,
            const std::vector<std::string>& arguments = {}) const;
  [[nodiscard]] pid_t pid() const;
  void end() { service_.reset(); }

 private:
  std::string address_;
  std::string name_;
  std::optional<Child> service_;
};

}  // namespace lull::tests
