#pragma once

#include "runner/supervisor/job_table.hpp"
#include "runner/supervisor/runs.hpp"
#include "runner/supervisor/scheduler.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lull::supervisor {

/// One job as `lull status --json` shows it. Keys and states are fixed by the specification; `pid`,
/// `started` and `problems` are there when they have something to say.
nlohmann::ordered_json job_status(const JobEntry& job, const ActiveRun* run,
                                  std::optional<TimePoint> next, const Zone& zone);

/// Why a job is in its state, in sentences; of one that runs the loop knows more.
std::vector<std::string> because(const JobEntry& job, const ActiveRun* run,
                                 std::optional<TimePoint> next, const Zone& zone);

}  // namespace lull::supervisor
