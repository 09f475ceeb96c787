#include "runner/desktop/service_link.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lull::desktop {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* kDaemon = "org.freedesktop.DBus";
/// A service that takes longer is as good as none.
constexpr std::chrono::seconds kAnswers{5};

/// Nobody has that name, so the bus will tell when somebody comes; as sd-bus numbers ServiceUnknown
/// and NameHasNoOwner.
bool is_absent(const Error& error) { return error.code() == EHOSTUNREACH || error.code() == ENXIO; }

}  // namespace

ServiceLink::ServiceLink(const boost::asio::any_io_executor& loop, std::string bus_address,
                         std::string service, Handlers handlers)
    : loop_(loop),
      bus_address_(std::move(bus_address)),
      service_(std::move(service)),
      handlers_(std::move(handlers)),
      again_(loop),
      patience_(kFirstAgain) {}

void ServiceLink::open() {
  lost_ = false;
  auto bus = Bus::connect(loop_, bus_address_, Bus::To::daemon);
  if (bus) bus_ = std::move(*bus);
  if (bus && subscribe()) return handlers_.ask();
  try_again();
  handlers_.gone();
}

/// First of all, so that nothing is missed between an answer and a change.
Result<void> ServiceLink::subscribe() {
  if (auto watched = bus_->watch_end([this] { lose(); }); !watched) return watched;
  auto watched =
      bus_->watch({"/org/freedesktop/DBus", kDaemon, "NameOwnerChanged", kDaemon, service_},
                  [this](sd_bus_message* signal) { on_owner(signal); });
  return watched ? handlers_.subscribe() : watched;
}

Result<void> ServiceLink::watch(const std::string& path, const std::string& interface,
                                const std::string& member, Bus::OnSignal on_signal,
                                const std::string& arg0) {
  return bus_->watch({path, interface, member, service_, arg0},
                     [this, on_signal = std::move(on_signal)](sd_bus_message* signal) {
                       if (lost_) return;
                       if (flood_.is_flood(Steady::now())) return cut_off();
                       on_signal(signal);
                     });
}

Result<Message> ServiceLink::method(const char* path, const char* interface, const char* member,
                                    Start start) {
  if (!bus_ || lost_) return Error("call " + std::string(member) + ": there is no bus");
  auto message = bus_->method(service_.c_str(), path, interface, member);
  if (message && start == Start::no) (void)sd_bus_message_set_auto_start(message->get(), 0);
  return message;
}

void ServiceLink::call(const Message& message, Bus::OnReply on_reply) {
  const auto asked = Steady::now();
  bus_->call(message, kAnswers,
             [this, asked, on_reply = std::move(on_reply)](const Result<sd_bus_message*>& reply) {
               if (lost_) return;
               if (reply) patience_ = kFirstAgain;
               if (reply) is_unreliable_ = false;
               if (!reply && Steady::now() - asked >= kAnswers) is_unreliable_ = true;
               if (!reply && !is_absent(reply.error())) try_again();
               on_reply(reply);
             });
}

/// NameOwnerChanged: name, old owner, new owner.
void ServiceLink::on_owner(sd_bus_message* signal) {
  if (lost_) return;
  if (flood_.is_flood(Steady::now())) return cut_off();
  const char* name = nullptr;
  const char* before = nullptr;
  const char* now = nullptr;
  if (sd_bus_message_read(signal, "sss", &name, &before, &now) <= 0) return;
  handlers_.gone();
  if (*now != '\0') handlers_.ask();
}

void ServiceLink::cut_off() {
  is_unreliable_ = true;
  lose();
}

void ServiceLink::lose() {
  if (std::exchange(lost_, true)) return;
  // The bus cannot go while it calls us.
  boost::asio::post(loop_, [this, there = std::weak_ptr<const bool>(there_)] {
    if (!there.expired() && lost_) bus_.reset();
  });
  try_again();
  handlers_.gone();
}

void ServiceLink::try_again() {
  if (std::exchange(is_trying_again_, true)) return;
  again_.expires_after(patience_);
  patience_ = std::min(patience_ * 2, kLastAgain);
  again_.async_wait([this, there = std::weak_ptr<const bool>(there_)](const auto& cancelled) {
    if (cancelled || there.expired()) return;
    is_trying_again_ = false;
    open();
  });
}

}  // namespace lull::desktop
