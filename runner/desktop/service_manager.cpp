#include "runner/desktop/service_manager.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>

namespace lull::desktop {
namespace {

namespace asio = boost::asio;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
/// As long as D-Bus lets a caller wait.
constexpr std::chrono::seconds kPatience{25};

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

/// Builds a message; after the first call that fails the others do nothing.
class Filling {
 public:
  explicit Filling(sd_bus_message* message) : message_(message) {}

  template <class... Values>
  void add(const char* types, Values... values) {
    if (error_ >= 0) error_ = sd_bus_message_append(message_, types, values...);
  }
  void open(char type, const char* contents) {
    if (error_ >= 0) error_ = sd_bus_message_open_container(message_, type, contents);
  }
  void close() {
    if (error_ >= 0) error_ = sd_bus_message_close_container(message_);
  }
  void add_properties(const UnitProperties& properties) {
    for (const auto& [name, value] : properties) {
      if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        add("(sv)", name.c_str(), "t", *number);
      } else {
        add("(sv)", name.c_str(), "s", std::get<std::string>(value).c_str());
      }
    }
  }
  [[nodiscard]] Result<void> result() const {
    if (error_ < 0) return Error("fill a message: " + std::generic_category().message(-error_));
    return boost::system::in_place_value;
  }

 private:
  sd_bus_message* message_;
  int error_ = 0;
};

}  // namespace

/// A coroutine that waits for what the manager will say.
class ServiceManager::Waiting {
 public:
  explicit Waiting(const asio::any_io_executor& loop) : timer_(loop, kPatience) {}

  void answer(Result<void> with) {
    answer_ = std::move(with);
    timer_.cancel();
  }
  asio::awaitable<Result<void>> wait() {
    if (!answer_) co_await timer_.async_wait(kNoThrow);
    co_return answer_ ? *answer_ : Error("the service manager does not answer");
  }

 private:
  asio::steady_timer timer_;
  std::optional<Result<void>> answer_;
};

std::string escape_for_unit(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("-_.:").find(c) != std::string_view::npos;
    if (plain) {
      escaped.push_back(c);
    } else {
      std::array<char, 5> code{};
      (void)std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned char>(c));
      escaped.append(code.data());
    }
  }
  return escaped;
}

std::optional<std::string> ServiceManager::own_socket() {
  const uid_t self = ::geteuid();
  std::string folder = "/run/user/" + std::to_string(self);
  if (const char* session = std::getenv("XDG_RUNTIME_DIR"); session != nullptr) folder = session;
  if (self == 0) folder = "/run";
  std::string socket = folder + "/systemd/private";
  struct stat there {};
  const bool is_ours =
      ::stat(socket.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) && there.st_uid == self;
  return is_ours ? std::optional(std::move(socket)) : std::nullopt;
}

std::string ServiceManager::own_unit() {
  char* unit = nullptr;
  const int found = ::geteuid() == 0 ? sd_pid_get_unit(0, &unit) : sd_pid_get_user_unit(0, &unit);
  if (found < 0) return "";
  const std::unique_ptr<char, decltype(&std::free)> kept(unit, &std::free);
  return unit;
}

/// A manager is in the group init.scope of its own (systemd.special(7)).
std::optional<std::string> ServiceManager::group_of(const std::string& socket) {
  asio::io_context loop;
  asio::local::stream_protocol::socket peer(loop);
  boost::system::error_code error;
  peer.connect(socket, error);
  ucred who{};
  socklen_t size = sizeof who;
  if (error || ::getsockopt(peer.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
    return std::nullopt;
  }
  std::ifstream groups("/proc/" + std::to_string(who.pid) + "/cgroup");
  for (std::string line; std::getline(groups, line);) {
    constexpr std::string_view kUnified = "0::";
    constexpr std::string_view kOwn = "/init.scope";
    if (line.starts_with(kUnified) && line.ends_with(kOwn)) {
      return line.substr(kUnified.size(), line.size() - kUnified.size() - kOwn.size());
    }
  }
  return std::nullopt;
}

ServiceManager::ServiceManager(asio::any_io_executor loop, std::string socket, OnJob on_job)
    : loop_(std::move(loop)), socket_(std::move(socket)), on_job_(std::move(on_job)) {}

Result<void> ServiceManager::listen() {
  const auto connected = bus();
  if (!connected) return connected.error();
  return boost::system::in_place_value;
}

/// A connection is made when it is needed: the manager may have been started anew.
Result<Bus*> ServiceManager::bus() {
  if (bus_ && !bus_->is_broken()) return bus_.get();
  auto bus = Bus::connect(loop_, "unix:path=" + socket_, Bus::To::peer);
  if (!bus) return bus.error();
  // A peer sends its signals to everyone who is connected.
  const auto removed = (*bus)->watch({kPath, kManager, "JobRemoved"},
                                     [this](sd_bus_message* signal) { on_job_removed(signal); });
  const auto begun = (*bus)->watch({kPath, kManager, "JobNew"},
                                   [this](sd_bus_message* signal) { on_job_new(signal); });
  const auto gone = (*bus)->watch_end([this] { on_disconnected(); });
  if (!removed) return removed.error();
  if (!begun) return begun.error();
  if (!gone) return gone.error();
  bus_ = std::move(*bus);
  return bus_.get();
}

void ServiceManager::on_job_new(sd_bus_message* message) {
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  if (sd_bus_message_read(message, "uos", &id, &job, &unit) < 0) return;
  if (on_job_ && !starting_.contains(unit)) on_job_(unit);
}

void ServiceManager::on_job_removed(sd_bus_message* message) {
  std::uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* how = nullptr;
  if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &how) < 0) return;
  const auto found = starting_.find(unit);
  if (found == starting_.end()) return;
  const bool done = std::string_view(how) == "done";
  found->second->answer(done ? Result<void>(boost::system::in_place_value)
                             : Error("the service manager's job ended as " + std::string(how)));
}

void ServiceManager::on_disconnected() {
  for (const auto& [unit, waiting] : starting_)
    waiting->answer(Error("the service manager is gone"));
}

asio::awaitable<Result<void>> ServiceManager::start_scope(Scope scope) {
  const auto connected = bus();
  if (!connected) co_return connected.error();
  const auto message = (*connected)->method(kService, kPath, kManager, "StartTransientUnit");
  if (!message) co_return message.error();
  Filling filling(message->get());
  filling.add("ss", scope.name.c_str(), "fail");
  filling.open('a', "(sv)");
  filling.add_properties(scope.properties);
  if (!scope.after.empty()) filling.add("(sv)", "After", "as", 1U, scope.after.c_str());
  filling.add("(sv)", "PIDs", "au", 1U, static_cast<std::uint32_t>(scope.process));
  filling.close();
  filling.add("a(sa(sv))", 0U);
  if (const auto filled = filling.result(); !filled) co_return filled.error();

  const auto waiting = std::make_shared<Waiting>(loop_);
  starting_[scope.name] = waiting;
  (*connected)->call(*message, kPatience, [waiting](const Result<sd_bus_message*>& reply) {
    if (!reply) waiting->answer(reply.error());  // else JobRemoved says what came of it
  });
  Result<void> started = co_await waiting->wait();
  starting_.erase(scope.name);
  co_return started;
}

asio::awaitable<Result<void>> ServiceManager::set(std::string unit, UnitProperties properties) {
  const auto connected = bus();
  if (!connected) co_return connected.error();
  const auto message = (*connected)->method(kService, kPath, kManager, "SetUnitProperties");
  if (!message) co_return message.error();
  Filling filling(message->get());
  filling.add("sb", unit.c_str(), 1);  // until the machine ends
  filling.open('a', "(sv)");
  filling.add_properties(properties);
  filling.close();
  if (const auto filled = filling.result(); !filled) co_return filled.error();

  const auto waiting = std::make_shared<Waiting>(loop_);
  (*connected)->call(*message, kPatience, [waiting](const Result<sd_bus_message*>& reply) {
    waiting->answer(reply ? Result<void>(boost::system::in_place_value) : reply.error());
  });
  co_return co_await waiting->wait();
}

}  // namespace lull::desktop
