#include "runner/supervisor/status.hpp"

#include "jobs/rfc3339.hpp"

#include <nlohmann/json.hpp>

namespace lull::supervisor {
namespace {

using Json = nlohmann::ordered_json;

std::string_view state_of(const JobEntry& job, const ActiveRun* run) {
  if (run != nullptr && run->state == ActiveRun::State::due) return "due";
  if (run != nullptr) return run->is_paused() ? "paused" : "running";
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

std::vector<std::string> because(const JobEntry& job, const ActiveRun* run,
                                 std::optional<TimePoint> next, const Zone& zone) {
  if (run != nullptr && run->state == ActiveRun::State::due) {
    return {"other jobs run first (max_concurrent)"};
  }
  if (run != nullptr) return {"it is being started"};
  if (!job.spec) return {"its file has errors: see `lull check`"};
  if (!job.spec->enabled) return {"enabled = false in its file"};
  if (next) return {"its next slot is " + format_rfc3339(*next, zone)};
  if (job.spec->schedule && runs_at_boot(*job.spec->schedule)) {
    return {"it runs once after each boot, and has for this one"};
  }
  return {job.spec->schedule ? "its schedule has no slot any more"
                             : "it has no schedule: start it with `lull start " + job.name + "`"};
}

}  // namespace lull::supervisor
