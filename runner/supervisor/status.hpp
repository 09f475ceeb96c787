#pragma once

#include "jobs/pause.hpp"
#include "runner/supervisor/job_table.hpp"
#include "runner/supervisor/runs.hpp"
#include "runner/supervisor/scheduler.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace lull::supervisor {

/// How a job stands at the moment.
struct JobNow {
  const JobEntry& job;
  const ActiveRun* run = nullptr;                 ///< the oldest that is under way
  std::vector<Waiting> waiting;                   ///< what keeps that from its start
  std::optional<TimePoint> next;                  ///< when it is due next
  std::optional<HandPause> pause = std::nullopt;  ///< that the job is under
};

/// One job as `lull status --json` shows it. Keys and states are fixed by the specification; `pid`,
/// `started`, `pause` and `problems` are there when they have something to say.
nlohmann::ordered_json job_status(const JobNow& now, const Zone& zone);

/// Why a job is in its state, in sentences; of one that runs the loop knows more.
std::vector<std::string> because(const JobNow& now, const Zone& zone);

}  // namespace lull::supervisor
