#include "runner/cli/history.hpp"

#include "jobs/rfc3339.hpp"
#include "runner/cli/table.hpp"
#include "runner/os/machine.hpp"
#include "runner/store/store.hpp"
#include "runner/supervisor/record_json.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace lull::cli {
namespace {

Tone tone_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::success:
      return Tone::good;
    case Outcome::stopped:
    case Outcome::interrupted:
    case Outcome::lost_race:
    case Outcome::skipped:
      return Tone::notice;
    case Outcome::failed:
    case Outcome::timed_out:
    case Outcome::spawn_failed:
      return Tone::bad;
  }
  return Tone::plain;
}

std::string state_of(const RunRecord& run) {
  if (run.ending) return std::string(to_string(run.ending->outcome));
  return run.started ? "running" : "due";
}

std::string exit_of(const RunRecord& run) {
  if (!run.ending) return "";
  if (run.ending->exit_code) return std::to_string(*run.ending->exit_code);
  return run.ending->signal ? "signal " + std::to_string(*run.ending->signal) : "";
}

std::string took(const RunRecord& run) {
  if (!run.ending || !run.started) return "";
  const auto whole = std::chrono::round<std::chrono::milliseconds>(run.ending->at - *run.started);
  const bool long_run = whole >= std::chrono::seconds(10);
  return format_duration(long_run ? std::chrono::round<std::chrono::seconds>(whole) : whole);
}

std::vector<Cell> row_of(const RunRecord& run, const Zone& zone) {
  const bool ended = run.ending.has_value();
  return {{std::to_string(run.id)},
          {run.job},
          {format_local(run.slot, zone)},
          {std::string(to_string(run.trigger))},
          {state_of(run), ended ? tone_of(run.ending->outcome) : Tone::notice},
          {exit_of(run)},
          {took(run)},
          {ended ? format_bytes(run.ending->usage.read) : ""},
          {ended ? format_bytes(run.ending->usage.written) : ""},
          {run.levels.empty() ? "" : run.levels.back().level},
          {ended ? run.ending->detail : ""}};
}

void print_runs(const std::vector<RunRecord>& runs, const Zone& zone) {
  Table table({{"RUN", Align::right},
               {"JOB"},
               {"SLOT"},
               {"TRIGGER"},
               {"OUTCOME"},
               {"EXIT"},
               {"TOOK", Align::right},
               {"READ", Align::right},
               {"WRITTEN", Align::right},
               {"LEVEL"},
               {"DETAIL", Align::left, true}});
  for (const RunRecord& run : runs)
    table.add_row(row_of(run, zone));
  print_table(table);
}

}  // namespace

int run_history(const InstanceOptions& instance, const HistoryOptions& options) {
  auto store = store::Store::open_for_reading(paths_of(instance).database());
  const auto runs = store
                        ? store::guarded([&] { return store->history(options.job, options.limit); })
                        : Result<std::vector<RunRecord>>(store.error());
  if (!runs) {
    complain(runs.error().what());
    return kFailed;
  }
  const Zone zone = os::machine_zone();
  if (!options.json) {
    print_runs(*runs, zone);
    return kDone;
  }
  auto all = nlohmann::ordered_json::array();
  for (const RunRecord& run : *runs)
    all.push_back(supervisor::record_json(run, zone));
  std::printf("%s\n", all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  return kDone;
}

}  // namespace lull::cli
