#pragma once

#include "jobs/result.hpp"
#include "runner/os/fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <utility>

namespace lull::os {

/// A child in a session of its own, on one CPU, which does nothing until it is released and then
/// uses all the CPU time that it gets. It ends with this object, or with us if we are killed.
class Spinner {
 public:
  /// Returns when the child is in its session. `go` is a pipe, whose writing end all spinners that
  /// are to start together wait to see closed.
  static Result<Spinner> start(int cpu, const Fd& go_reader, const Fd& go_writer);

  Spinner(Spinner&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Spinner& operator=(Spinner&&) = delete;
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;
  ~Spinner() { end(); }

  /// Valid until end(): nobody else reaps our child, so its pid cannot change hands.
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Tells it to end, without waiting until it does.
  void kill() const;
  /// Ends it, and returns what CPU time it used.
  std::chrono::microseconds end();

 private:
  explicit Spinner(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;
};

/// A CPU that we may use.
int any_cpu();

}  // namespace lull::os
