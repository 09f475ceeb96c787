#include "runner/supervisor/status.hpp"

#include "jobs/rfc3339.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace lull::supervisor {
namespace {

using Json = nlohmann::ordered_json;

/// Of a run that has started by what it does: one that was started under a pause goes on. What is
/// broken or disabled stays so when the pause ends.
std::string_view state_of(const JobNow& now) {
  const ActiveRun* const run = now.run;
  if (run != nullptr && run->state != ActiveRun::State::due) {
    return run->is_paused() ? "paused" : "running";
  }
  if (run != nullptr) return now.pause ? "paused" : "due";
  if (!now.job.spec) return "broken";
  if (!now.job.spec->enabled) return "disabled";
  return now.pause ? "paused" : "idle";
}

Json time_or_null(const std::optional<TimePoint>& time, const Zone& zone) {
  return time ? Json(format_rfc3339(*time, zone)) : Json();
}

std::string reason_of(const Waiting& waiting, const Zone& zone) {
  if (!waiting.until) return waiting.reason;
  return waiting.reason + ", until " + format_rfc3339(*waiting.until, zone);
}

Json waiting_of(const JobNow& now, const Zone& zone) {
  Json all = Json::array();
  for (const Waiting& waiting : now.waiting)
    all.push_back({{"gate", waiting.gate}, {"reason", reason_of(waiting, zone)}});
  return all;
}

std::string why_no_slot(const JobEntry& job) {
  const std::vector<std::string>& after = job.spec->when.after;
  if (!job.spec->schedule && !after.empty()) {
    return fmt::format("it starts when {} have succeeded since its last run",
                       fmt::join(after, ", "));
  }
  if (!job.spec->schedule) return "it has no schedule: start it with `lull start " + job.name + "`";
  return runs_at_boot(*job.spec->schedule) ? "it runs once after each boot, and has for this one"
                                           : "its schedule has no slot any more";
}

std::string why_not_due(const JobNow& now, const Zone& zone) {
  if (!now.job.spec) return "its file has errors: see `lull check`";
  if (!now.job.spec->enabled) return "enabled = false in its file";
  if (now.next) return "its next slot is " + format_rfc3339(*now.next, zone);
  return why_no_slot(now.job);
}

}  // namespace

Json job_status(const JobNow& now, const Zone& zone) {
  const ActiveRun* const run = now.run;
  Json status{{"job", now.job.name}, {"state", state_of(now)}};
  status["next"] = time_or_null(now.next, zone);
  status["run"] = run == nullptr ? Json() : Json(run->record.id);
  const bool has_level = run != nullptr && !run->record.levels.empty();
  status["level"] = has_level ? Json(run->record.levels.back().level) : Json();
  status["waiting"] = waiting_of(now, zone);
  status["last_success"] = time_or_null(now.job.last_success, zone);
  status["paused_until"] = now.pause ? time_or_null(now.pause->until, zone) : Json();
  if (run != nullptr && run->main_pid != 0) {
    status["pid"] = run->main_pid;
    status["started"] = time_or_null(run->record.started, zone);
  }
  if (now.pause) status["pause"] = describe(*now.pause, zone);
  for (const config::Diagnostic& problem : now.job.problems) {
    status["problems"].push_back(to_string(problem));
  }
  return status;
}

std::vector<std::string> because(const JobNow& now, const Zone& zone) {
  std::vector<std::string> sentences;
  for (const Waiting& waiting : now.waiting)
    sentences.push_back(waiting.gate + ": " + reason_of(waiting, zone));
  if (!sentences.empty()) return sentences;
  if (now.run != nullptr) return {"it is being started"};
  if (now.pause) sentences.push_back(describe(*now.pause, zone));
  sentences.push_back(why_not_due(now, zone));
  return sentences;
}

}  // namespace lull::supervisor
