#pragma once

// Internal to config/: the tables of a job file, each with its reader.
#include "config/parse_job.hpp"
#include "config/section.hpp"
#include "config/values.hpp"
#include "jobs/decide.hpp"

namespace lull::config {

/// What every reader of a job's table gets.
struct JobReading {
  const JobContext& context;
  std::string_view job;  ///< its name; empty while defaults are read
  Home home;
};

/// The keys above the first table. Also finds out whose home `reading.home` is.
void read_top(const Section& section, JobReading& reading, JobSpec& spec);
std::optional<Schedule> read_schedule(const Section& section);
GateSpec read_when(const Section& section, const JobReading& reading);
PrioritySpec read_priority(const Section& section, const JobContext& context);
Limits read_limits(const Section& section);
std::optional<OutputSpec> read_output(const Section& section, const JobReading& reading);
NotifySpec read_notify(const Section& section);

/// [foreground] of lull.toml.
ForegroundSettings read_foreground(const Section& section);

/// An I/O priority such as "best-effort:4" that the instance may set.
std::optional<IoPriority> read_io(const Value& value, const JobContext& context);

/// A whole job file, or the defaults, below `root`.
JobSpec read_job(const Section& root, JobReading reading);

}  // namespace lull::config
