#pragma once

#include "jobs/result.hpp"
#include "runner/supervisor/driver.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lull::supervisor {

// What a process with runs says to the one of the same user that has the loop, and back: one JSON
// object a line. Both are of one user, and after an upgrade perhaps of two versions: unknown keys
// are passed over.

struct AddRun {
  DrivenRun run;
};
struct RemoveRun {
  RunKey key = 0;
};
struct AskWhy {
  RunKey key = 0;
};
/// See Driver::hold.
struct HoldRun {
  RunKey key = 0;
  std::optional<std::string> reason = std::nullopt;
};
using ToLoop = std::variant<AddRun, RemoveRun, AskWhy, HoldRun>;

struct Removed {
  RunKey key = 0;
  Duration paused{0};
};
struct Because {
  RunKey key = 0;
  std::vector<std::string> because;
};
using FromLoop = std::variant<Change, Removed, Because>;

std::string encode(const ToLoop& message);
std::string encode(const FromLoop& message);
Result<ToLoop> parse_to_loop(std::string_view line);
Result<FromLoop> parse_from_loop(std::string_view line);

}  // namespace lull::supervisor
