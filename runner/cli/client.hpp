#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"
#include "runner/supervisor/protocol.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace lull::cli {

/// A connection to a running supervisor.
class Client {
 public:
  /// Nothing when no supervisor listens there: exit code 3, not a failure.
  static Result<std::optional<Client>> connect(const std::string& socket);

  Result<void> send(const supervisor::Request& request);
  /// The next line of the answer, waiting for it as long as it takes. An answer of "ok":false is an
  /// Error with its text.
  Result<nlohmann::ordered_json> receive();

 private:
  explicit Client(os::Fd socket) : socket_(std::move(socket)) {}
  os::Fd socket_;
  std::string received_;
};

}  // namespace lull::cli
