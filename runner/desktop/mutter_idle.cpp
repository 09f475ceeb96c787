#include "runner/desktop/mutter_idle.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace lull::desktop {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr const char* kService = "org.gnome.Mutter.IdleMonitor";
constexpr const char* kInterface = kService;
/// All devices together.
constexpr const char* kCore = "/org/gnome/Mutter/IdleMonitor/Core";
/// Its timers and GetIdletime do not read one clock.
constexpr milliseconds kSlack{100};

template <class Number>
std::optional<Number> number_in(const Result<sd_bus_message*>& reply, const char* type) {
  Number number{};
  if (!reply || sd_bus_message_read(*reply, type, &number) <= 0) return std::nullopt;
  return number;
}

}  // namespace

MutterIdle::MutterIdle(const boost::asio::any_io_executor& loop, std::string bus_address,
                       std::function<void()> on_change)
    : on_change_(std::move(on_change)),
      link_(loop, std::move(bus_address), kService,
            {[this] { return subscribe(); }, [this] { ask(); },
             [this] { forget("it is not there"); }}) {
  link_.open();
}

void MutterIdle::want(Duration threshold) {
  if (input_.want(threshold)) ask();
}

std::optional<InputReport> MutterIdle::report(TimePoint now) const {
  if (!input_.is_known() || !input_.threshold()) return std::nullopt;
  const auto since = input_.since_input(Steady::now());
  return InputReport{"Mutter", "", !since, since ? now - *since : now};
}

SourceState MutterIdle::state() const {
  return {"Mutter", input_.is_known(), input_.is_known() ? "its idle monitor" : why_not_,
          is_settled_};
}

Result<void> MutterIdle::subscribe() {
  return link_.watch(kCore, kInterface, "WatchFired",
                     [this](sd_bus_message* signal) { on_watch_fired(signal); });
}

/// Watches of an older threshold fire to nobody: there are few, and they end with the connection.
void MutterIdle::ask() {
  idle_watch_ = 0;
  input_watch_ = 0;
  if (input_.threshold()) add_idle_watch();
  look(false);
}

void MutterIdle::add_idle_watch() {
  auto message = link_.method(kCore, kInterface, "AddIdleWatch");
  const auto interval = std::chrono::ceil<milliseconds>(*input_.threshold()).count();
  if (!message ||
      sd_bus_message_append(message->get(), "t", static_cast<std::uint64_t>(interval)) < 0) {
    return;
  }
  link_.call(*message, [this](const Result<sd_bus_message*>& reply) {
    idle_watch_ = number_in<std::uint32_t>(reply, "u").value_or(0);
  });
}

/// First the watch for the next input, which fires once, and then the question, so that nothing is
/// missed in between.
void MutterIdle::look(bool fired) {
  const auto watch = link_.method(kCore, kInterface, "AddUserActiveWatch");
  const auto question = link_.method(kCore, kInterface, "GetIdletime");
  if (!watch || !question) return;
  if (input_watch_ == 0) {
    link_.call(*watch, [this](const Result<sd_bus_message*>& reply) {
      input_watch_ = number_in<std::uint32_t>(reply, "u").value_or(0);
    });
  }
  link_.call(*question, [this, fired](const Result<sd_bus_message*>& reply) {
    const auto idle = number_in<std::uint64_t>(reply, "t");
    if (!idle) return forget(reply ? "it gives no idle time" : reply.error().what());
    take_idle(milliseconds(std::min(*idle, std::uint64_t{INT32_MAX})), fired);
  });
}

/// Both watches are made before it is known whether there is input, so one that fires says only
/// that it is time to look, but for the first input of all.
void MutterIdle::on_watch_fired(sd_bus_message* signal) {
  std::uint32_t watch = 0;
  if (sd_bus_message_read(signal, "u", &watch) <= 0 || watch == 0) return;
  if (watch == idle_watch_) return look(true);
  if (watch != input_watch_) return;
  input_watch_ = 0;
  if (input_.is_known()) take_idle(Duration(0), false);
}

void MutterIdle::take_idle(Duration idle, bool fired) {
  is_settled_ = true;
  const Duration wanted = input_.threshold().value_or(Duration(0));
  if (fired && idle + kSlack >= wanted) idle = std::max(idle, wanted);
  if (input_.idle_for(idle, Steady::now())) on_change_();
}

void MutterIdle::forget(const std::string& why) {
  why_not_ = why;
  const bool differs = input_.is_known() || !is_settled_;
  is_settled_ = true;
  input_.forget();
  if (differs) on_change_();
}

}  // namespace lull::desktop
