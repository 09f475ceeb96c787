#pragma once

#include "runner/cli/instance.hpp"

#include <string>

namespace lull::cli {

// The subcommands that ask a running supervisor. Each returns the exit code.

struct StatusOptions {
  std::string job;  ///< empty: all
  bool json = false;
};
int run_status(const InstanceOptions& instance, const StatusOptions& options);

struct WhyOptions {
  std::string job;
  bool json = false;
};
int run_why(const InstanceOptions& instance, const WhyOptions& options);

struct StartOptions {
  std::string job;
  bool wait = false;
  bool json = false;
};
/// With `wait`: 0 when the run succeeded, 1 when it did not.
int run_start(const InstanceOptions& instance, const StartOptions& options);

struct StopOptions {
  std::string job;
  bool json = false;
};
int run_stop(const InstanceOptions& instance, const StopOptions& options);

struct PauseOptions {
  std::string job;         ///< empty: all
  std::string for_length;  ///< "2h"; empty: as `until` says
  std::string until;       ///< RFC 3339 or a time of day; both empty: until resume
  bool json = false;
};
/// A length or end that is none is a usage error.
int run_pause(const InstanceOptions& instance, const PauseOptions& options);

struct ResumeOptions {
  std::string job;  ///< empty: all
  bool json = false;
};
int run_resume(const InstanceOptions& instance, const ResumeOptions& options);

int run_reload(const InstanceOptions& instance);

}  // namespace lull::cli
