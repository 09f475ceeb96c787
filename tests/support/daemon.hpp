#pragma once

#include "jobs/units.hpp"
#include "runner/os/fd.hpp"
#include "tests/support/temp_folder.hpp"

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace lull::tests {

/// What a finished command left behind.
struct Finished {
  int exit_code = -1;  ///< 128+N where signal N ended it
  std::string out;
  std::string err;
};

/// A running child with both outputs in files.
class Child {
 public:
  /// Runs `argv`; `environment` comes on top of ours.
  Child(const std::vector<std::string>& argv, const std::vector<std::string>& environment);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  [[nodiscard]] bool ended();
  Finished wait();

 private:
  TempFolder files_;
  pid_t pid_ = 0;
  int status_ = 0;
  bool reaped_ = false;
};

/// An instance of lull in folders of its own, with or without a running supervisor.
class Instance {
 public:
  Instance();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// Writes jobs/NAME.toml.
  void job(const std::string& name, const std::string& text) const;
  /// Writes lull.toml: `text`, keys at the top only, and what every test wants.
  void settings(const std::string& text) const;

  /// As if a daemon had seen these jobs first so long ago, and ended then.
  void was_off(const std::vector<std::string>& jobs, Duration since) const;

  /// Runs a subcommand to its end.
  [[nodiscard]] Finished lull(const std::vector<std::string>& arguments) const;
  /// The same with --json, parsed.
  [[nodiscard]] nlohmann::json json(std::vector<std::string> arguments) const;

  /// Starts `lull daemon` and waits until it answers.
  void start_daemon(const std::vector<std::string>& arguments = {});
  /// Ends it by `signal` and waits; returns its exit code.
  int end_daemon(int signal);
  [[nodiscard]] Child& daemon() { return *daemon_; }

  [[nodiscard]] nlohmann::json status(const std::string& job) const;
  /// The job's runs, newest first.
  [[nodiscard]] nlohmann::json history(const std::string& job = "") const;
  /// The same, once so many have ended.
  [[nodiscard]] nlohmann::json ended_runs(const std::string& job, std::size_t count) const;
  [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }
  [[nodiscard]] std::vector<std::string> environment() const;

 private:
  TempFolder folder_;
  std::unique_ptr<Child> daemon_;
};

/// The program under test, beside the test program.
std::string lull_program();

}  // namespace lull::tests
