#pragma once

#include "tests/support/bus_daemon.hpp"
#include "tests/support/daemon.hpp"

#include <string>

namespace lull::tests {

/// A system bus of the test's own, for this program and what it starts.
class SystemBus {
 public:
  SystemBus();
  ~SystemBus();
  SystemBus(const SystemBus&) = delete;
  SystemBus& operator=(const SystemBus&) = delete;

  [[nodiscard]] BusDaemon& bus() { return bus_; }

 private:
  BusDaemon bus_;
};

/// An instance with one job, "backup", which has missed a slot and catches it up as soon as its
/// gates hold.
class GatedJob {
 public:
  /// `when`: the keys of [when]; `what`: of the job itself.
  explicit GatedJob(const std::string& when, std::string what = "command = [\"/bin/true\"]\n");

  /// Kills the supervisor and starts the next.
  void replace_supervisor();
  /// Writes the job's file, with other gates.
  void define(const std::string& when) const;

  /// The gate that it waits for, and why; empty while it waits for none.
  [[nodiscard]] std::string gate() const;
  [[nodiscard]] bool waits_for(const std::string& text) const;
  [[nodiscard]] bool is(const std::string& state) const;
  /// Why its run got the level that it has.
  [[nodiscard]] std::string reason_of_level() const;
  [[nodiscard]] bool has_run(const std::string& outcome = "success") const;
  [[nodiscard]] const Instance& instance() const { return instance_; }

  /// Whether the supervisor's loop sleeps through some seconds, once it has done what it was asked:
  /// longer than anything that is tried again is first waited for.
  [[nodiscard]] bool sleeps();

 private:
  [[nodiscard]] long times_asleep();

  Instance instance_;
  std::string what_;
};

}  // namespace lull::tests
