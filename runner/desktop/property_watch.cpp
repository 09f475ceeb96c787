#include "runner/desktop/property_watch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace lull::desktop {
namespace {

constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
/// One that has gone for longer has gone for good.
constexpr std::chrono::seconds kReturns{10};

std::string address_in(const char* variable) {
  const char* const address = std::getenv(variable);
  return address != nullptr ? address : "";
}

/// The value inside the variant that comes next, unless it is of a type that nobody reads.
std::optional<PropertyValue> read_value(sd_bus_message* message) {
  char type = 0;
  const char* contents = nullptr;
  if (sd_bus_message_peek_type(message, &type, &contents) <= 0 || type != 'v') return std::nullopt;
  const std::string_view held(contents);
  const auto read = [&](auto& into) { return sd_bus_message_read(message, "v", contents, &into); };
  if (held == "b") {
    int value = 0;
    if (read(value) > 0) return PropertyValue(value != 0);
  } else if (held == "d") {
    double value = 0;
    if (read(value) > 0) return PropertyValue(value);
  } else if (held == "s" || held == "o") {
    const char* value = nullptr;
    if (read(value) > 0) return PropertyValue(std::string(value));
  } else if (held == "i") {
    std::int32_t value = 0;
    if (read(value) > 0) return PropertyValue(std::int64_t{value});
  } else if (held == "u") {
    std::uint32_t value = 0;
    if (read(value) > 0) return PropertyValue(std::int64_t{value});
  } else if (held == "t" || held == "x") {
    std::int64_t value = 0;
    if (read(value) > 0) return PropertyValue(value);
  } else {
    (void)sd_bus_message_skip(message, "v");
  }
  return std::nullopt;
}

/// Reads "a{sv}" into what is known already.
bool read_into(Properties& properties, sd_bus_message* message) {
  if (sd_bus_message_enter_container(message, 'a', "{sv}") <= 0) return false;
  while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
    const char* name = nullptr;
    if (sd_bus_message_read(message, "s", &name) <= 0) return false;
    if (auto value = read_value(message)) properties.insert_or_assign(name, std::move(*value));
    if (sd_bus_message_exit_container(message) < 0) return false;
  }
  return sd_bus_message_exit_container(message) >= 0;
}

/// Whether the array that comes next has any.
bool has_strings(sd_bus_message* message) {
  return sd_bus_message_enter_container(message, 'a', "s") > 0 &&
         sd_bus_message_at_end(message, 0) == 0;
}

}  // namespace

std::string system_bus_address() {
  std::string address = address_in("DBUS_SYSTEM_BUS_ADDRESS");
  return address.empty() ? "unix:path=/run/dbus/system_bus_socket" : address;
}

std::string session_bus_address() {
  std::string address = address_in("DBUS_SESSION_BUS_ADDRESS");
  const std::string folder = address_in("XDG_RUNTIME_DIR");
  return address.empty() && !folder.empty() ? "unix:path=" + folder + "/bus" : address;
}

PropertyWatch::PropertyWatch(const boost::asio::any_io_executor& loop, std::string bus_address,
                             std::string service, std::vector<Object> objects,
                             std::function<void()> on_change)
    : objects_(std::move(objects)),
      on_change_(std::move(on_change)),
      known_(objects_.size()),
      return_(loop),
      link_(loop, std::move(bus_address), std::move(service),
            {[this] { return subscribe(); }, [this] { ask_all(); }, [this] { forget(); }}) {
  link_.open();
}

const Properties* PropertyWatch::of(std::size_t object) const {
  return known_[object] ? &*known_[object] : nullptr;
}

Result<void> PropertyWatch::subscribe() {
  Result<void> watched = boost::system::in_place_value;
  for (std::size_t object = 0; watched && object < objects_.size(); ++object) {
    watched = link_.watch(
        objects_[object].path, kProperties, "PropertiesChanged",
        [this, object](sd_bus_message* signal) { on_change_of(object, signal); },
        objects_[object].interface);
  }
  return watched;
}

void PropertyWatch::ask_all() {
  for (std::size_t object = 0; object < objects_.size(); ++object)
    ask(object);
}

void PropertyWatch::ask(std::size_t object) {
  const auto message =
      link_.method(objects_[object].path.c_str(), kProperties, "GetAll", ServiceLink::Start::yes);
  if (!message) return;
  if (sd_bus_message_append(message->get(), "s", objects_[object].interface.c_str()) < 0) return;
  ++asked_;
  link_.call(*message, [this, object, asked = connection_](const Result<sd_bus_message*>& reply) {
    if (asked != connection_) return;  // by one who has gone since
    --asked_;
    if (reply) return take(object, *reply);
    known_[object].reset();
    on_change_();
  });
}

void PropertyWatch::take(std::size_t object, sd_bus_message* reply) {
  Properties properties;
  known_[object].reset();
  if (read_into(properties, reply)) known_[object] = std::move(properties);
  is_returning_ = false;
  return_.cancel();
  on_change_();
}

void PropertyWatch::on_change_of(std::size_t object, sd_bus_message* signal) {
  const char* interface = nullptr;
  if (!known_[object] || sd_bus_message_read(signal, "s", &interface) <= 0) return;
  Properties properties = *known_[object];
  if (!read_into(properties, signal)) return;
  if (has_strings(signal)) ask(object);  // whose new values were left out
  if (known_[object] == properties) return;
  known_[object] = std::move(properties);
  on_change_();
}

/// Nothing to tell in a construction that finds no bus.
void PropertyWatch::forget() {
  const bool knew =
      std::any_of(known_.begin(), known_.end(), [](const auto& one) { return one.has_value(); });
  const bool asked = asked_ > 0;
  known_.assign(objects_.size(), std::nullopt);
  asked_ = 0;
  ++connection_;
  if (knew) await_return();
  if (knew || asked) on_change_();
}

/// Services are restarted at every upgrade.
void PropertyWatch::await_return() {
  is_returning_ = true;
  return_.expires_after(kReturns);
  return_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& cancelled) {
    if (cancelled || there.expired() || !std::exchange(is_returning_, false)) return;
    on_change_();
  });
}

}  // namespace lull::desktop
