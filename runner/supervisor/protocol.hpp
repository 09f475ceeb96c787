#pragma once

#include "jobs/result.hpp"
#include "jobs/units.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace lull::supervisor {

/// The control socket speaks one JSON object a line, both ways. A client sends a Request; the
/// supervisor answers with lines {"protocol":1,"ok":…}, of which the last has "last":true.
inline constexpr int kProtocol = 1;
/// No request is longer; a client that sends more is cut off.
inline constexpr std::size_t kMaxRequest = 4096;

enum class Verb { status, why, start, stop, pause, resume, reload };

struct Request {
  Verb verb = Verb::status;
  std::string job = {};                           ///< empty: all
  bool wait = false;                              ///< start: answer again when the run has ended
  std::optional<TimePoint> until = std::nullopt;  ///< pause: its end; none: until resume
  bool operator==(const Request&) const = default;
};

/// One line, with its line end.
std::string encode(const Request& request);
/// The request of a line; an error says what is wrong with it.
Result<Request> parse_request(std::string_view line);

}  // namespace lull::supervisor
