#include "runner/supervisor/record_json.hpp"

#include "jobs/rfc3339.hpp"

#include <nlohmann/json.hpp>

namespace lull::supervisor {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Json level_json(const LevelChange& change, const Zone& zone) {
  Json applied = Json::object();
  for (const auto& [knob, value] : change.applied)
    applied[knob] = value;
  return {{"at", format_rfc3339(change.at, zone)},
          {"state", to_string(change.state)},
          {"level", change.level},
          {"applied", std::move(applied)},
          {"reason", change.reason}};
}

}  // namespace

Json record_json(const RunRecord& run, const Zone& zone) {
  const Ending ending = run.ending.value_or(Ending{});
  Json json{{"job", run.job},
            {"run", run.id},
            {"slot", format_rfc3339(run.slot, zone)},
            {"trigger", to_string(run.trigger)}};
  json["started"] = run.started ? Json(format_rfc3339(*run.started, zone)) : Json();
  json["ended"] = run.ending ? Json(format_rfc3339(ending.at, zone)) : Json();
  json["outcome"] = run.ending ? Json(to_string(ending.outcome)) : Json();
  json["exit_code"] = value_or_null(ending.exit_code);
  json["signal"] = value_or_null(ending.signal);
  json["paused_s"] = seconds(ending.paused);
  json["cpu_s"] = seconds(ending.usage.cpu);
  json["read_bytes"] = ending.usage.read.count;
  json["written_bytes"] = ending.usage.written.count;
  json["levels"] = Json::array();
  for (const LevelChange& change : run.levels)
    json["levels"].push_back(level_json(change, zone));
  json["attempt"] = run.attempt;
  if (!ending.detail.empty()) json["detail"] = ending.detail;
  return json;
}

}  // namespace lull::supervisor
