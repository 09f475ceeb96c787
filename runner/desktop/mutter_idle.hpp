#pragma once

#include "jobs/presence.hpp"
#include "runner/desktop/input_source.hpp"
#include "runner/desktop/service_link.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lull::desktop {

/// The input of GNOME's compositor (org.gnome.Mutter.IdleMonitor on the session bus), also of
/// Wayland sessions: one watch fires when there was none for the wanted time, another at the first
/// one after. In between nothing wakes us.
class MutterIdle {
 public:
  /// `on_change` is called on the loop after something that is told here has become different.
  MutterIdle(const boost::asio::any_io_executor& loop, std::string bus_address,
             std::function<void()> on_change);

  /// How long without input is of interest; nothing is told before. The shortest wanted counts.
  void want(Duration threshold);
  /// Nothing while it does not tell.
  [[nodiscard]] std::optional<InputReport> report(TimePoint now) const;
  [[nodiscard]] SourceState state() const;

 private:
  Result<void> subscribe();
  void ask();
  void add_idle_watch();
  void look(bool fired);
  void on_watch_fired(sd_bus_message* signal);
  void take_idle(Duration idle, bool fired);
  void forget(const std::string& why);

  std::function<void()> on_change_;
  InputClock input_;
  std::uint32_t idle_watch_ = 0;  ///< 0: there is none
  std::uint32_t input_watch_ = 0;
  std::string why_not_;
  bool is_settled_ = false;
  ServiceLink link_;  ///< last: what it calls back uses the rest
};

}  // namespace lull::desktop
