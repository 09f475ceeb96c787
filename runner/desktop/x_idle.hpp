#pragma once

#include "jobs/presence.hpp"
#include "jobs/units.hpp"
#include "runner/desktop/input_source.hpp"
#include "runner/desktop/x_connection.hpp"
#include "runner/desktop/x_display.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lull::desktop {

/// The input of an X server, as its system counter IDLETIME has it (the SYNC extension): an alarm
/// of the server's fires when there was none for the wanted time, another at the first one after.
/// In between nothing wakes us.
class XIdle {
 public:
  /// `on_change` is called on the loop after something that is told here has become different.
  XIdle(const boost::asio::any_io_executor& loop, XDisplay display,
        std::function<void()> on_change);

  /// How long without input is of interest; nothing is told before. The shortest wanted counts.
  void want(Duration threshold);
  /// Nothing while the server does not tell.
  [[nodiscard]] std::optional<InputReport> report(TimePoint now) const;
  [[nodiscard]] SourceState state() const;

 private:
  /// Whose answer comes next.
  enum class Step { connection, xwayland, extension, version, counters, idle_time };

  void connect();
  void ask_extension(const char* name, Step step);
  void on_message(std::string_view message);
  void on_reply(std::string_view reply);
  void on_extension(std::string_view reply);
  void ask_version();
  void ask_counters();
  void find_counter(std::string_view reply);
  void arm();
  void set_alarm(std::uint32_t alarm, std::uint32_t test, std::uint8_t request);
  void ask_idle_time();
  void on_alarm(std::string_view event);
  void take_idle(Duration idle);
  void lose(const std::string& why);

  boost::asio::any_io_executor loop_;
  XDisplay display_;
  std::string name_;  ///< "the X server :0"
  std::function<void()> on_change_;
  InputClock input_;
  Step step_ = Step::connection;
  std::string why_not_;
  bool is_settled_ = false;
  std::uint8_t opcode_ = 0;
  std::uint8_t alarm_event_ = 0;
  std::uint32_t counter_ = 0;
  std::uint32_t idle_alarm_ = 0;  ///< 0: not made yet
  std::uint32_t input_alarm_ = 0;
  FloodGuard flood_;
  boost::asio::steady_timer again_;
  std::chrono::seconds patience_;
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
  std::unique_ptr<XConnection> connection_;  ///< last: what it calls back uses the rest
};

}  // namespace lull::desktop
