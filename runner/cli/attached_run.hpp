#pragma once

#include "runner/os/keeper_process.hpp"
#include "runner/os/pty.hpp"

#include <csignal>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace lull::cli {

/// The time between a keeper's start and its end, spent by `lull run`: passes signals on, carries
/// keys and output between the caller's terminal and the job's, and stops and goes on with the job
/// when the caller's shell says so. The caller's session and terminal stay its own.
class AttachedRun {
 public:
  using OnReports = std::function<void(std::span<const keeper::Report>)>;

  /// `pty`: the job's terminal, where stdin is one.
  AttachedRun(os::KeeperProcess keeper, std::optional<os::Pty> pty, OnReports on_reports);

  /// Returns when the keeper has ended.
  void follow();

 private:
  void wait_for_event();
  void take_reports();
  void take_signals();
  void take_key_strokes();
  void take_output();
  void suspend();
  void tell_keeper(int signal) const;

  os::KeeperProcess keeper_;
  std::optional<os::Pty> pty_;
  OnReports on_reports_;
  os::RawTerminal raw_;
  os::Fd signals_;
  std::vector<keeper::Report> reports_;
  bool listening_ = false;  ///< to the caller's keys
};

/// Blocks the signals that AttachedRun takes. Call before anything is started.
void block_signals();

}  // namespace lull::cli
