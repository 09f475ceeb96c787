#include "runner/cli/app.hpp"

#include "runner/cli/calendar.hpp"
#include "runner/cli/check.hpp"
#include "runner/cli/control.hpp"
#include "runner/cli/daemon.hpp"
#include "runner/cli/doctor.hpp"
#include "runner/cli/history.hpp"
#include "runner/cli/inspect.hpp"
#include "runner/cli/run.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <string>
#include <vector>

namespace lull::cli {
namespace {

/// What the command line says, and what to do about it.
struct Parsed {
  InstanceOptions instance;
  DaemonOptions daemon;
  RunOptions run;
  CheckOptions check;
  StatusOptions status;
  WhyOptions why;
  StartOptions start;
  StopOptions stop;
  PauseOptions pause;
  ResumeOptions resume;
  HistoryOptions history;
  LogOptions log;
  InspectOptions inspect;
  DoctorOptions doctor;
  CalendarOptions calendar;
  std::function<int()> action;
};

/// A subcommand that takes the instance's options and, when chosen, runs `action`.
CLI::App* add_command(CLI::App& app, Parsed& parsed, const std::string& name,
                      const std::string& description, std::function<int()> action) {
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("--config-dir", parsed.instance.config_dir, "settings and jobs")
      ->type_name("DIR");
  command->add_option("--state-dir", parsed.instance.state_dir, "history and logs")
      ->type_name("DIR");
  command->add_option("--runtime-dir", parsed.instance.runtime_dir, "control socket")
      ->type_name("DIR");
  command->callback([&parsed, action = std::move(action)] { parsed.action = action; });
  return command;
}

void add_json(CLI::App* command, bool& json) {
  command->add_flag("--json", json, "print JSON for programs");
}

void add_daemon(CLI::App& app, Parsed& parsed) {
  CLI::App* command = add_command(app, parsed, "daemon", "run the supervisor, in the foreground",
                                  [&parsed] { return run_daemon(parsed.instance, parsed.daemon); });
  command->add_flag("--stop-jobs", parsed.daemon.stop_jobs,
                    "when told to end, stop the running jobs instead of leaving them");
  command->add_flag("-v,--verbose", parsed.daemon.verbose, "log more");
}

void add_run(CLI::App& app, Parsed& parsed) {
  CLI::App* command =
      add_command(app, parsed, "run", "run one command or job file now, with lull's priority",
                  [&parsed] { return run_run(parsed.instance, parsed.run); });
  CLI::Option* policy =
      command->add_option("--policy", parsed.run.policy,
                          "important, standard, utility, throttle (the default) or passive");
  command->add_flag("-v,--verbose", parsed.run.verbose, "say each change of level on stderr");
  CLI::Option* job = command->add_option("--job", parsed.run.job_file, "run this job file");
  job->type_name("FILE")->excludes(policy);
  command->add_option("command", parsed.run.command, "the command, after --")->excludes(job);
}

void add_check(CLI::App& app, Parsed& parsed) {
  CLI::App* command = add_command(app, parsed, "check", "validate settings and job files",
                                  [&parsed] { return run_check(parsed.instance, parsed.check); });
  command->add_option("PATH", parsed.check.paths, "files or folders (default: the instance's)");
  add_json(command, parsed.check.json);
}

void add_pauses(CLI::App& app, Parsed& parsed) {
  CLI::App* pause = add_command(app, parsed, "pause", "let a job, or all, stand still for a while",
                                [&parsed] { return run_pause(parsed.instance, parsed.pause); });
  pause->add_option("JOB", parsed.pause.job, "this job only");
  CLI::Option* length =
      pause->add_option("--for", parsed.pause.for_length, "so long (default: until `lull resume`)");
  length->type_name("DURATION");
  pause->add_option("--until", parsed.pause.until, "until this time: 14:30, or RFC 3339")
      ->type_name("TIME")
      ->excludes(length);
  add_json(pause, parsed.pause.json);

  CLI::App* resume = add_command(app, parsed, "resume", "end a job's pause, or all pauses",
                                 [&parsed] { return run_resume(parsed.instance, parsed.resume); });
  resume->add_option("JOB", parsed.resume.job, "this job only");
  add_json(resume, parsed.resume.json);
}

void add_control(CLI::App& app, Parsed& parsed) {
  CLI::App* status = add_command(app, parsed, "status", "state and next slot of the jobs",
                                 [&parsed] { return run_status(parsed.instance, parsed.status); });
  status->add_option("JOB", parsed.status.job, "this job only");
  add_json(status, parsed.status.json);

  CLI::App* why = add_command(app, parsed, "why", "why a job is in its state and at its level",
                              [&parsed] { return run_why(parsed.instance, parsed.why); });
  why->add_option("JOB", parsed.why.job)->required();
  add_json(why, parsed.why.json);

  CLI::App* start = add_command(app, parsed, "start", "start a job now",
                                [&parsed] { return run_start(parsed.instance, parsed.start); });
  start->add_option("JOB", parsed.start.job)->required();
  start->add_flag("--wait", parsed.start.wait, "until it has ended; fail when it does");
  add_json(start, parsed.start.json);

  CLI::App* stop = add_command(app, parsed, "stop", "stop a running job and all its processes",
                               [&parsed] { return run_stop(parsed.instance, parsed.stop); });
  stop->add_option("JOB", parsed.stop.job)->required();
  add_json(stop, parsed.stop.json);

  add_pauses(app, parsed);

  add_command(app, parsed, "reload", "read settings and job files again",
              [&parsed] { return run_reload(parsed.instance); });
}

void add_records(CLI::App& app, Parsed& parsed) {
  CLI::App* history = add_command(app, parsed, "history", "past runs, newest first", [&parsed] {
    return run_history(parsed.instance, parsed.history);
  });
  history->add_option("JOB", parsed.history.job, "this job only");
  history->add_option("--limit", parsed.history.limit, "so many runs at most")
      ->check(CLI::PositiveNumber);
  add_json(history, parsed.history.json);

  CLI::App* log = add_command(app, parsed, "log", "the output of a job's run",
                              [&parsed] { return run_log(parsed.instance, parsed.log); });
  log->add_option("JOB", parsed.log.job)->required();
  log->add_option("--run", parsed.log.run, "the run's number (default: the newest)");
  log->add_flag("-f,--follow", parsed.log.follow, "go on until the run has ended");
  add_json(log, parsed.log.json);
}

void add_inspect(CLI::App& app, Parsed& parsed) {
  CLI::App* command =
      add_command(app, parsed, "inspect", "the priority of processes, as the kernel has it",
                  [&parsed] { return run_inspect(parsed.inspect); });
  CLI::Option_group* which = command->add_option_group("which");
  which->add_option("--pid", parsed.inspect.pid, "one process");
  which->add_option("--pgrp", parsed.inspect.pgrp, "a process group");
  which->add_option("--user", parsed.inspect.user, "all of a user's, by name or number");
  which->require_option(1);
  add_json(command, parsed.inspect.json);
}

void add_doctor(CLI::App& app, Parsed& parsed) {
  CLI::App* command =
      add_command(app, parsed, "doctor", "which knobs work on this machine, and why not",
                  [&parsed] { return run_doctor(parsed.instance, parsed.doctor); });
  command->add_flag("--no-experiment", parsed.doctor.no_experiment,
                    "judge by what the kernel says alone, in no time");
  add_json(command, parsed.doctor.json);
}

void add_calendar(CLI::App& app, Parsed& parsed) {
  CLI::App* command = app.add_subcommand("calendar", "a schedule's normalised form and next slots");
  command->callback(
      [&parsed] { parsed.action = [&parsed] { return run_calendar(parsed.calendar); }; });
  command->add_option("EXPR", parsed.calendar.expressions, "OnCalendar or cron, each in quotes")
      ->required();
  command
      ->add_option("--timezone", parsed.calendar.timezone, "an IANA name (default: the machine's)")
      ->type_name("ZONE");
  command->add_option("--from", parsed.calendar.from, "slots after this time (default: now)")
      ->type_name("RFC3339");
  command->add_option("--count", parsed.calendar.count, "so many slots at most")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_json(command, parsed.calendar.json);
}

}  // namespace

int run_app(int argc, char** argv) {
  // stdout is for what was asked for, or a command's own.
  spdlog::set_default_logger(spdlog::stderr_color_st("lull"));
  spdlog::set_level(spdlog::level::warn);
  CLI::App app("lull runs backups, indexing and sync when nobody needs the machine.", "lull");
  Parsed parsed;
  app.set_version_flag("--version", "lull " LULL_VERSION);
  app.require_subcommand(1);
  add_daemon(app, parsed);
  add_run(app, parsed);
  add_check(app, parsed);
  add_control(app, parsed);
  add_records(app, parsed);
  add_inspect(app, parsed);
  add_doctor(app, parsed);
  add_calendar(app, parsed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? kDone : kUsage;
  }
  return parsed.action();
}

}  // namespace lull::cli
