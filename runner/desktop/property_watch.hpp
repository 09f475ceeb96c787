#pragma once

#include "runner/desktop/service_link.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lull::desktop {

/// A property's value, of the types that we read: any integer, "d", and "s" or "o".
using PropertyValue = std::variant<bool, std::int64_t, double, std::string>;
using Properties = std::map<std::string, PropertyValue, std::less<>>;

/// The value, if the property is there and of that type.
template <class Value>
std::optional<Value> value_of(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  const Value* value = std::get_if<Value>(&found->second);
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

/// Where the system's message bus listens, and the session's; empty where nothing tells.
std::string system_bus_address();
std::string session_bus_address();

/// The properties of some objects of one D-Bus service, kept up to date by its signals alone and
/// across restarts of the service and of the bus.
class PropertyWatch {
 public:
  /// An object, and the one of its interfaces that counts.
  struct Object {
    std::string path;
    std::string interface;
  };

  /// `on_change` is called on the loop, after each answer and when anything that `of` gives has
  /// become different.
  PropertyWatch(const boost::asio::any_io_executor& loop, std::string bus_address,
                std::string service, std::vector<Object> objects, std::function<void()> on_change);

  /// What the service says of the object with that index; null while it says nothing.
  [[nodiscard]] const Properties* of(std::size_t object) const;
  /// An answer is on its way, or may soon be, from one who has just gone: within seconds there is
  /// one, or a failure, with `on_change`.
  [[nodiscard]] bool is_asking() const { return (asked_ > 0 && !is_unreliable()) || is_returning_; }
  /// What it would say is not known, though it may well be there.
  [[nodiscard]] bool is_unreliable() const { return link_.is_unreliable(); }

 private:
  Result<void> subscribe();
  void ask_all();
  void ask(std::size_t object);
  void take(std::size_t object, sd_bus_message* reply);
  void on_change_of(std::size_t object, sd_bus_message* signal);
  void forget();
  void await_return();

  std::vector<Object> objects_;
  std::function<void()> on_change_;
  std::vector<std::optional<Properties>> known_;  ///< by object
  int asked_ = 0;                                 ///< answers that are to come
  int connection_ = 0;                            ///< the how manieth; of earlier ones none comes
  bool is_returning_ = false;
  boost::asio::steady_timer return_;
  std::shared_ptr<const bool> there_ = std::make_shared<const bool>(true);  ///< as long as we are
  ServiceLink link_;
};

}  // namespace lull::desktop
