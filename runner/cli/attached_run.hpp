#pragma once

#include "runner/os/keeper_process.hpp"
#include "runner/os/pty.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lull::cli {

/// What AttachedRun tells of.
class AttachedEvents {
 public:
  AttachedEvents() = default;
  AttachedEvents(const AttachedEvents&) = delete;
  AttachedEvents& operator=(const AttachedEvents&) = delete;
  virtual ~AttachedEvents() = default;
  /// All of the keeper's reports so far.
  virtual void reported(std::span<const keeper::Report> reports) = 0;
  /// Someone types at the job or sends it a signal: it must be able to answer now.
  virtual void addressed() = 0;
  /// This process is about to be stopped with the job (Ctrl-Z), and goes on.
  virtual void suspending() = 0;
  virtual void continuing() = 0;
  /// The job has ended. What it printed may yet take its time to be shown.
  virtual void ended() = 0;
};

/// The time between a keeper's start and its end, spent by `lull run`: passes signals on, carries
/// keys and output between the caller's terminal and the job's, and stops and goes on with the job
/// when the caller's shell says so. The caller's session and terminal stay its own.
class AttachedRun {
 public:
  /// `pty`: the job's terminal, where stdin is one.
  AttachedRun(boost::asio::io_context& loop, os::KeeperProcess keeper, std::optional<os::Pty> pty,
              AttachedEvents& events);
  ~AttachedRun();
  AttachedRun(const AttachedRun&) = delete;
  AttachedRun& operator=(const AttachedRun&) = delete;

  /// Runs the loop until the keeper has ended.
  void follow();

 private:
  using Descriptor = boost::asio::posix::stream_descriptor;
  void watch(Descriptor& descriptor, void (AttachedRun::*take)());
  void listen_to_keys(bool on);
  void take_end();
  void take_reports();
  void take_signals();
  void take_key_strokes();
  void take_output();
  void put_output();
  void show_rest();
  void end_output();
  void suspend();
  void tell_keeper(int signal) const;

  boost::asio::io_context& loop_;
  os::KeeperProcess keeper_;
  std::optional<os::Pty> pty_;
  AttachedEvents& events_;
  os::RawTerminal raw_;
  os::Fd signals_fd_;
  os::Fd terminal_;      ///< where the job's terminal is shown; does not block
  std::string unshown_;  ///< that it would not take yet
  // These watch descriptors that others own.
  Descriptor signals_;
  Descriptor end_;
  Descriptor reports_;
  Descriptor output_;
  Descriptor room_;  ///< in `terminal_`
  Descriptor keys_;
  std::vector<keeper::Report> all_reports_;
};

/// Blocks the signals that AttachedRun takes. Call before anything is started.
void block_signals();

}  // namespace lull::cli
