#include "runner/desktop/x_idle.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

// Last, for their macros: None, Success and so on.
#include <X11/X.h>
#include <X11/Xproto.h>
#include <X11/extensions/syncproto.h>

namespace lull::desktop {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

template <class Part>
Part part_at(std::string_view bytes, std::size_t offset) {
  Part part{};
  if (offset + sizeof part <= bytes.size()) std::memcpy(&part, bytes.data() + offset, sizeof part);
  return part;
}

void append(std::string& request, std::uint32_t value) {
  request.append(sizeof value, '\0');
  std::memcpy(request.data() + request.size() - sizeof value, &value, sizeof value);
}

/// INT64 in the SYNC extension: the high half, signed, and then the low one.
void append_int64(std::string& request, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  append(request, static_cast<std::uint32_t>(bits >> 32U));
  append(request, static_cast<std::uint32_t>(bits));
}

Duration idle_of(std::int32_t high, std::uint32_t low) {
  const auto bits = (std::uint64_t{static_cast<std::uint32_t>(high)} << 32U) | low;
  return milliseconds(static_cast<std::int64_t>(bits));
}

/// A request of an extension's: its opcode, the request's, and room for the length.
std::string request_of(std::uint8_t opcode, int request) {
  return {static_cast<char>(opcode), static_cast<char>(request), 0, 0};
}

}  // namespace

XIdle::XIdle(const boost::asio::any_io_executor& loop, XDisplay display,
             std::function<void()> on_change)
    : loop_(loop),
      display_(std::move(display)),
      name_("the X server " + display_.name),
      on_change_(std::move(on_change)),
      again_(loop),
      patience_(kFirstAgain) {
  connect();
}

void XIdle::want(Duration threshold) {
  if (!input_.want(threshold)) return;
  if (step_ == Step::idle_time) arm();
}

std::optional<InputReport> XIdle::report(TimePoint now) const {
  if (!input_.is_known()) return std::nullopt;
  const auto since = input_.since_input(Steady::now());
  const auto display = parse_display(display_.name);
  return InputReport{name_, display ? ':' + display->number : display_.name, !since,
                     since ? now - *since : now};
}

SourceState XIdle::state() const {
  return {name_, input_.is_known(), input_.is_known() ? "its counter IDLETIME" : why_not_,
          is_settled_};
}

void XIdle::connect() {
  step_ = Step::connection;
  idle_alarm_ = 0;
  connection_ = std::make_unique<XConnection>(
      loop_, display_,
      XConnection::Handlers{[this] { ask_extension("XWAYLAND", Step::xwayland); },
                            [this](std::string_view message) { on_message(message); },
                            [this](const std::string& why) { lose(why); }});
}

void XIdle::ask_extension(const char* name, Step step) {
  step_ = step;
  std::string text(name);
  std::string request = request_of(X_QueryExtension, 0);
  const auto size = static_cast<CARD16>(text.size());
  request.resize(sz_xQueryExtensionReq);
  std::memcpy(request.data() + offsetof(xQueryExtensionReq, nbytes), &size, sizeof size);
  text.resize((text.size() + 3) / 4 * 4);
  connection_->send(request + text);
}

void XIdle::on_message(std::string_view message) {
  if (flood_.is_flood(Steady::now())) return lose("it sends more than anybody asked for");
  const auto type = static_cast<std::uint8_t>(message[0]);
  if (type == X_Reply) return on_reply(message);
  if (type == X_Error) return lose("it refuses what we ask");
  if (step_ == Step::idle_time && type == alarm_event_) on_alarm(message);
}

void XIdle::on_reply(std::string_view reply) {
  switch (step_) {
    case Step::connection:
      return;
    case Step::xwayland:
    case Step::extension:
      return on_extension(reply);
    case Step::version:
      return ask_counters();
    case Step::counters:
      return find_counter(reply);
    case Step::idle_time:
      connection_->answered();
      take_idle(idle_of(part_at<INT32>(reply, offsetof(xSyncQueryCounterReply, value_hi)),
                        part_at<CARD32>(reply, offsetof(xSyncQueryCounterReply, value_lo))));
  }
}

void XIdle::on_extension(std::string_view reply) {
  const auto extension = part_at<xQueryExtensionReply>(reply, 0);
  const bool there = extension.present != 0;
  if (step_ == Step::xwayland) {
    if (there) return lose("it is Xwayland, which sees the input of its own windows only");
    return ask_extension("SYNC", Step::extension);
  }
  if (!there) return lose("it has no SYNC extension");
  opcode_ = extension.major_opcode;
  alarm_event_ = static_cast<std::uint8_t>(extension.first_event + XSyncAlarmNotify);
  ask_version();
}

void XIdle::ask_version() {
  step_ = Step::version;
  std::string request = request_of(opcode_, X_SyncInitialize);
  request += {SYNC_MAJOR_VERSION, 0, 0, 0};
  connection_->send(request);
}

void XIdle::ask_counters() {
  step_ = Step::counters;
  connection_->send(request_of(opcode_, X_SyncListSystemCounters));
}

/// Each counter with its name behind it, padded to whole words.
void XIdle::find_counter(std::string_view reply) {
  constexpr std::string_view kIdleTime = "IDLETIME";
  std::size_t at = sz_xSyncListSystemCountersReply;
  while (at + sz_xSyncSystemCounter <= reply.size()) {
    const auto size = part_at<CARD16>(reply, at + offsetof(xSyncSystemCounter, name_length));
    if (reply.substr(at + sz_xSyncSystemCounter).substr(0, size) == kIdleTime) {
      counter_ = part_at<CARD32>(reply, at);
      step_ = Step::idle_time;
      connection_->answered();
      if (input_.threshold()) arm();
      return;
    }
    at += (std::size_t{sz_xSyncSystemCounter} + size + 3) / 4 * 4;
  }
  lose("it has no counter IDLETIME");
}

/// Both, and then the question, so that nothing is missed between the answer and an alarm. A server
/// may forget to look at an alarm after another one's event, until it is changed (noted in
/// gnome-desktop's idle monitor), so this is also done after each.
void XIdle::arm() {
  const bool made = idle_alarm_ != 0;
  if (!made) {
    idle_alarm_ = connection_->new_id();
    input_alarm_ = connection_->new_id();
  }
  const std::uint8_t request = made ? X_SyncChangeAlarm : X_SyncCreateAlarm;
  set_alarm(idle_alarm_, XSyncPositiveTransition, request);
  set_alarm(input_alarm_, XSyncNegativeTransition, request);
  ask_idle_time();
}

void XIdle::set_alarm(std::uint32_t alarm, std::uint32_t test, std::uint8_t request_kind) {
  std::string request = request_of(opcode_, request_kind);
  append(request, alarm);
  append(request, XSyncCACounter | XSyncCAValueType | XSyncCAValue | XSyncCATestType |
                      XSyncCADelta | XSyncCAEvents);
  append(request, counter_);
  append(request, XSyncAbsolute);
  append_int64(request, std::chrono::ceil<milliseconds>(*input_.threshold()).count());
  append(request, test);
  append_int64(request, 0);
  append(request, 1);
  connection_->send(request);
}

void XIdle::ask_idle_time() {
  std::string request = request_of(opcode_, X_SyncQueryCounter);
  append(request, counter_);
  connection_->expect_answer();
  connection_->send(request);
}

void XIdle::on_alarm(std::string_view event) {
  const auto alarm = part_at<xSyncAlarmNotifyEvent>(event, 0);
  const Duration idle = idle_of(alarm.counter_value_hi, alarm.counter_value_lo);
  arm();
  take_idle(alarm.alarm == idle_alarm_ ? std::max(idle, *input_.threshold()) : Duration(0));
}

void XIdle::take_idle(Duration idle) {
  const bool differs = input_.idle_for(idle, Steady::now());
  is_settled_ = true;
  patience_ = kFirstAgain;
  if (differs) on_change_();
}

void XIdle::lose(const std::string& why) {
  connection_->close();
  why_not_ = why;
  is_settled_ = true;
  input_.forget();
  step_ = Step::connection;
  again_.expires_after(patience_);
  patience_ = std::min(patience_ * 2, kLastAgain);
  again_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& cancelled) {
    if (!cancelled && !there.expired()) connect();
  });
  on_change_();
}

}  // namespace lull::desktop
