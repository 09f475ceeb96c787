#include "runner/supervisor/status.hpp"

#include "jobs/rfc3339.hpp"

#include <nlohmann/json.hpp>

namespace lull::supervisor {
namespace {

using Json = nlohmann::ordered_json;

std::string_view state_of(const JobEntry& job, const ActiveRun* run) {
  if (run != nullptr) return run->state == ActiveRun::State::due ? "due" : "running";
  if (!job.spec) return "broken";
  return job.spec->enabled ? "idle" : "disabled";
}

Json time_or_null(const std::optional<TimePoint>& time, const Zone& zone) {
  return time ? Json(format_rfc3339(*time, zone)) : Json();
}

/// Gates come with the calendar; until then a due run waits for its turn alone.
Json waiting_of(const ActiveRun* run) {
  Json waiting = Json::array();
  if (run != nullptr && run->state == ActiveRun::State::due) {
    waiting.push_back({{"gate", "max_concurrent"}, {"reason", "other jobs run first"}});
  }
  return waiting;
}

}  // namespace

Json job_status(const JobEntry& job, const ActiveRun* run, std::optional<TimePoint> next,
                const Zone& zone) {
  Json status{{"job", job.name}, {"state", state_of(job, run)}};
  status["next"] = time_or_null(next, zone);
  status["run"] = run == nullptr ? Json() : Json(run->record.id);
  const bool has_level = run != nullptr && !run->record.levels.empty();
  status["level"] = has_level ? Json(run->record.levels.back().level) : Json();
  status["waiting"] = waiting_of(run);
  status["last_success"] = time_or_null(job.last_success, zone);
  status["paused_until"] = Json();
  if (run != nullptr && run->main_pid != 0) {
    status["pid"] = run->main_pid;
    status["started"] = time_or_null(run->record.started, zone);
  }
  for (const config::Diagnostic& problem : job.problems) {
    status["problems"].push_back(to_string(problem));
  }
  return status;
}

}  // namespace lull::supervisor
