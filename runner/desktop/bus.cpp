#include "runner/desktop/bus.hpp"

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace lull::desktop {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

Error bus_error(const std::string& what, int error) {
  return Error(what + ": " + std::generic_category().message(-error));
}

/// As the D-Bus specification has it, "Match Rules". None of our parts holds a quote.
std::string rule_of(const SignalMatch& match) {
  std::string rule = "type='signal'";
  const auto add = [&rule](const char* key, const std::string& value) {
    if (!value.empty()) rule += std::string(",") + key + "='" + value + "'";
  };
  add("path", match.path);
  add("interface", match.interface);
  add("member", match.member);
  add("sender", match.sender);
  add("arg0", match.arg0);
  return rule;
}

/// A handler is sd-bus's to keep from then on; it gives it back when the slot ends.
template <class Handler>
void destroy(void* handler) {
  delete static_cast<Handler*>(handler);  // NOLINT(cppcoreguidelines-owning-memory)
}

template <class Handler>
void give(sd_bus_slot* slot, std::unique_ptr<Handler> handler) {
  sd_bus_slot_set_destroy_callback(slot, destroy<Handler>);
  (void)handler.release();
  sd_bus_slot_set_floating(slot, 1);
  sd_bus_slot_unref(slot);
}

int on_reply(sd_bus_message* message, void* data, sd_bus_error* /*unused*/) {
  auto& handler = *static_cast<Bus::OnReply*>(data);
  if (const sd_bus_error* error = sd_bus_message_get_error(message)) {
    handler(Error(sd_bus_error_get_errno(error),
                  error->message != nullptr ? error->message : error->name));
  } else {
    handler(message);
  }
  return 1;
}

int on_signal(sd_bus_message* message, void* data, sd_bus_error* /*unused*/) {
  (*static_cast<Bus::OnSignal*>(data))(message);
  return 0;  // others may have asked for it too
}

}  // namespace

Result<std::unique_ptr<Bus>> Bus::connect(const asio::any_io_executor& loop,
                                          const std::string& address, To to) {
  sd_bus* raw = nullptr;
  if (const int error = sd_bus_new(&raw); error < 0) return bus_error("make a bus", error);
  std::unique_ptr<sd_bus, BusDeleter> bus(raw);
  int error = sd_bus_set_address(raw, address.c_str());
  if (error >= 0) error = sd_bus_set_bus_client(raw, to == To::daemon ? 1 : 0);
  if (error >= 0) error = sd_bus_start(raw);
  if (error < 0) return bus_error("connect to " + address, error);
  return std::unique_ptr<Bus>(new Bus(loop, std::move(bus)));
}

Bus::Bus(const asio::any_io_executor& loop, Connection bus)
    : bus_(std::move(bus)), socket_(loop, sd_bus_get_fd(bus_.get())), timer_(loop) {
  wait();
}

/// The socket is sd-bus's to close.
Bus::~Bus() { (void)socket_.release(); }

Result<Message> Bus::method(const char* service, const char* path, const char* interface,
                            const char* member) {
  sd_bus_message* message = nullptr;
  const int error =
      sd_bus_message_new_method_call(bus_.get(), &message, service, path, interface, member);
  if (error < 0) return bus_error(std::string("call ") + member, error);
  return Message(message);
}

void Bus::call(const Message& message, std::chrono::microseconds patience, OnReply handler) {
  auto kept = std::make_unique<OnReply>(std::move(handler));
  sd_bus_slot* slot = nullptr;
  const int error = sd_bus_call_async(bus_.get(), &slot, message.get(), on_reply, kept.get(),
                                      static_cast<std::uint64_t>(patience.count()));
  if (error < 0) {
    (*kept)(bus_error(std::string("call ") + sd_bus_message_get_member(message.get()), error));
    return;
  }
  give(slot, std::move(kept));
  wait();
}

Result<void> Bus::watch(const SignalMatch& match, OnSignal handler) {
  auto kept = std::make_unique<OnSignal>(std::move(handler));
  sd_bus_slot* slot = nullptr;
  const int error = sd_bus_add_match_async(bus_.get(), &slot, rule_of(match).c_str(), on_signal,
                                           nullptr, kept.get());
  if (error < 0) return bus_error("watch " + match.member, error);
  give(slot, std::move(kept));
  wait();
  return boost::system::in_place_value;
}

/// sd-bus makes up this signal, sd_bus_set_exit_on_disconnect(3).
Result<void> Bus::watch_end(std::function<void()> on_end) {
  constexpr const char* kLocal = "org.freedesktop.DBus.Local";
  on_end_ = std::move(on_end);
  return watch({"/org/freedesktop/DBus/Local", kLocal, "Disconnected"},
               [this](sd_bus_message*) { end(); });
}

/// Once; one that breaks the protocol ends without that signal.
void Bus::end() {
  if (on_end_) std::exchange(on_end_, nullptr)();
}

/// Some at a time, since whoever sends faster than we read would hold the loop. What is left makes
/// sd_bus_get_timeout(3) say at once.
void Bus::process() {
  constexpr int kAtOnce = 100;
  int more = 1;
  for (int i = 0; more > 0 && i < kAtOnce; ++i)
    more = sd_bus_process(bus_.get(), nullptr);
  broken_ = more < 0;
  if (broken_) end();
}

/// For what sd-bus waits now; each kind of wait is pending once at most.
void Bus::wait() {
  if (broken_) return;
  const auto then = [this](bool* pending) {
    return [this, pending, there = std::weak_ptr<const bool>(there_)](const auto& error) {
      if (error || there.expired()) return;
      if (pending != nullptr) *pending = false;
      process();
      if (!there.expired()) wait();
    };
  };
  const int events = sd_bus_get_events(bus_.get());
  if ((events & POLLIN) != 0 && !std::exchange(reading_, true))
    socket_.async_wait(stream_descriptor::wait_read, then(&reading_));
  if ((events & POLLOUT) != 0 && !std::exchange(writing_, true))
    socket_.async_wait(stream_descriptor::wait_write, then(&writing_));
  std::uint64_t at = 0;  // on the monotonic clock, which is steady_timer's too
  if (sd_bus_get_timeout(bus_.get(), &at) < 0 || at == UINT64_MAX) return;
  timer_.expires_at(asio::steady_timer::time_point(std::chrono::microseconds(at)));
  timer_.async_wait(then(nullptr));
}

}  // namespace lull::desktop
