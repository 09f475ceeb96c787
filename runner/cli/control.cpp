#include "runner/cli/control.hpp"

#include "jobs/pause.hpp"
#include "runner/cli/client.hpp"
#include "runner/cli/table.hpp"
#include "runner/os/machine.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <functional>

namespace lull::cli {
namespace {

using Json = nlohmann::ordered_json;
using supervisor::Request;
using supervisor::Verb;

void print(const Json& json) {
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

/// Asks the instance's supervisor and hands each line of its answer to `take`, which says whether
/// to wait for another. Returns the exit code where there is no answer.
int ask(const InstanceOptions& instance, const Request& request,
        const std::function<bool(const Json&)>& take) {
  auto client = Client::connect(paths_of(instance).socket());
  if (client && !*client) {
    complain("no supervisor is running: start `lull daemon`");
    return kNoSupervisor;
  }
  const auto sent = client ? (*client)->send(request) : Result<void>(client.error());
  if (!sent) {
    complain(sent.error().what());
    return kFailed;
  }
  for (;;) {
    const auto line = (*client)->receive();
    if (!line) {
      complain(line.error().what());
      return kFailed;
    }
    if (!take(*line) || line->value("last", false)) return kDone;
  }
}

std::string text_of(const Json& job, const char* key) {
  const auto found = job.find(key);
  if (found == job.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

/// "2026-11-23T02:30:00+01:00" as people read it: the zone is theirs.
std::string short_time(const Json& job, const char* key) {
  std::string time = text_of(job, key).substr(0, 16);
  if (time.size() > 10) time[10] = ' ';
  return time;
}

std::string note_of(const Json& job) {
  if (const auto problems = job.find("problems"); problems != job.end()) {
    return problems->front().get<std::string>();
  }
  if (job.contains("pause")) return text_of(job, "pause");
  std::string note;
  for (const Json& wait : job.at("waiting")) {
    note += (note.empty() ? "waits for " : ", ") + wait.at("gate").get<std::string>();
  }
  return note;
}

Tone tone_of(const std::string& state) {
  if (state == "running") return Tone::good;
  if (state == "broken") return Tone::bad;
  return state == "due" || state == "paused" ? Tone::notice : Tone::plain;
}

void print_status(const Json& jobs) {
  Table table(
      {{"JOB"}, {"STATE"}, {"NEXT"}, {"LAST SUCCESS"}, {"RUN", Align::right}, {"LEVEL"}, {"NOTE"}});
  for (const Json& job : jobs) {
    const std::string state = text_of(job, "state");
    table.add_row({{text_of(job, "job")},
                   {state, tone_of(state)},
                   {short_time(job, "next")},
                   {short_time(job, "last_success")},
                   {text_of(job, "run")},
                   {text_of(job, "level")},
                   {note_of(job)}});
  }
  print_table(table);
}

/// "run 12 of backup: success (exit code 0)".
std::string describe(const Json& record) {
  std::string text = "run " + text_of(record, "run") + " of " + text_of(record, "job") + ": " +
                     text_of(record, "outcome");
  if (!record.at("exit_code").is_null()) text += ", exit code " + text_of(record, "exit_code");
  if (!record.at("signal").is_null()) text += ", signal " + text_of(record, "signal");
  if (record.contains("detail")) text += " (" + text_of(record, "detail") + ")";
  return text;
}

/// When the pause that was asked for ends; none: with `lull resume`.
Result<std::optional<TimePoint>> end_of(const PauseOptions& options) {
  std::optional<TimePoint> end;
  if (!options.for_length.empty()) {
    const auto after = pause_for(options.for_length, os::now());
    if (!after) return after.error().within("--for");
    end = *after;
  } else if (!options.until.empty()) {
    const auto at = pause_until(options.until, os::now(), os::machine_zone());
    if (!at) return at.error().within("--until");
    end = *at;
  }
  return end;
}

/// What became of a pause, and the runs that go on under it.
void print_pause(const std::string& job, const Json& answer) {
  std::printf("%s: %s\n", job.empty() ? "all jobs" : job.c_str(), text_of(answer, "done").c_str());
  for (const Json& one : answer.at("status")) {
    if (!one.contains("pause") || text_of(one, "state") != "running") continue;
    const std::string name = text_of(one, "job");
    std::printf("run %s of %s goes on: see `lull why %s`\n", text_of(one, "run").c_str(),
                name.c_str(), name.c_str());
  }
}

int ask_for_pause(const InstanceOptions& instance, const Request& request, bool json) {
  return ask(instance, request, [&](const Json& answer) {
    if (json) {
      print(answer.at("status"));
    } else {
      print_pause(request.job, answer);
    }
    return true;
  });
}

}  // namespace

int run_status(const InstanceOptions& instance, const StatusOptions& options) {
  return ask(instance, {Verb::status, options.job, false}, [&](const Json& line) {
    if (options.json) {
      print(line.at("status"));
    } else {
      print_status(line.at("status"));
    }
    return true;
  });
}

int run_why(const InstanceOptions& instance, const WhyOptions& options) {
  return ask(instance, {Verb::why, options.job, false}, [&](const Json& line) {
    const Json& job = line.at("why");
    if (options.json) {
      print(job);
      return true;
    }
    std::printf("%s is %s", options.job.c_str(), text_of(job, "state").c_str());
    if (const auto level = text_of(job, "level"); !level.empty()) {
      std::printf(", run %s at %s", text_of(job, "run").c_str(), level.c_str());
    }
    std::printf("\n");
    for (const Json& sentence : job.at("because"))
      std::printf("  %s\n", sentence.get<std::string>().c_str());
    return true;
  });
}

int run_start(const InstanceOptions& instance, const StartOptions& options) {
  bool succeeded = true;
  const int exit_code =
      ask(instance, {Verb::start, options.job, options.wait}, [&](const Json& line) {
        if (const auto record = line.find("record"); record != line.end()) {
          succeeded = text_of(*record, "outcome") == "success";
          if (options.json) print(*record);
          if (!options.json) std::printf("%s\n", describe(*record).c_str());
        } else if (options.json && !options.wait) {
          print({{"run", line.at("run")}, {"pid", line.at("pid")}});
        } else if (!options.json) {
          std::printf("run %s of %s started\n", text_of(line, "run").c_str(), options.job.c_str());
          std::fflush(stdout);
        }
        return true;
      });
  return exit_code == kDone && !succeeded ? kFailed : exit_code;
}

int run_stop(const InstanceOptions& instance, const StopOptions& options) {
  return ask(instance, {Verb::stop, options.job, false}, [&](const Json& line) {
    const Json& record = line.at("record");
    if (options.json) {
      print(record);
    } else {
      std::printf("%s\n", describe(record).c_str());
    }
    return true;
  });
}

int run_pause(const InstanceOptions& instance, const PauseOptions& options) {
  const auto until = end_of(options);
  if (!until) {
    complain(until.error().what());
    return kUsage;
  }
  return ask_for_pause(instance, {Verb::pause, options.job, false, *until}, options.json);
}

int run_resume(const InstanceOptions& instance, const ResumeOptions& options) {
  return ask_for_pause(instance, {Verb::resume, options.job, false}, options.json);
}

int run_reload(const InstanceOptions& instance) {
  return ask(instance, {Verb::reload, "", false}, [](const Json&) { return true; });
}

}  // namespace lull::cli
