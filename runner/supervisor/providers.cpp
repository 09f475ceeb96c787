#include "runner/supervisor/providers.hpp"

#include "runner/desktop/network_manager.hpp"
#include "runner/desktop/presence_watch.hpp"
#include "runner/desktop/upower.hpp"
#include "runner/os/fd.hpp"
#include "runner/os/local_path.hpp"
#include "runner/os/machine.hpp"
#include "runner/os/mounts.hpp"
#include "runner/os/netlink.hpp"
#include "runner/os/power_supplies.hpp"
#include "runner/os/routes.hpp"
#include "runner/supervisor/file_watch.hpp"
#include "runner/supervisor/presence_places.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

/// Calls `on_event` each time that the kernel has had something to say through `watch`; never where
/// there is no watch.
class KernelEvents {
 public:
  using Descriptor = asio::posix::stream_descriptor;

  /// `how`: what the descriptor does then, become readable or show an error.
  KernelEvents(const asio::any_io_executor& loop, Result<os::Fd> watch, Descriptor::wait_type how,
               std::function<void()> on_event)
      : descriptor_(loop), how_(how), on_event_(std::move(on_event)) {
    if (!watch) return;
    watch_ = std::move(*watch);
    descriptor_.assign(watch_.get());
    wait();
  }
  ~KernelEvents() {
    if (descriptor_.is_open()) (void)descriptor_.release();
  }
  KernelEvents(const KernelEvents&) = delete;
  KernelEvents& operator=(const KernelEvents&) = delete;

 private:
  void wait() {
    descriptor_.async_wait(how_, [this](const boost::system::error_code& error) {
      if (error) return;
      if (how_ == Descriptor::wait_read) os::drain(watch_);
      wait();
      on_event_();
    });
  }

  os::Fd watch_;
  Descriptor descriptor_;
  Descriptor::wait_type how_;
  std::function<void()> on_event_;
};

/// What a service of the desktop says, and where there is none what the kernel does, whose events
/// wake us only then. Tells of a change only if it makes a difference: a service has more to say
/// than we ask.
template <class Service, class State>
class ServiceOrKernel {
 public:
  struct Kernel {
    Result<os::Fd> (*watch)() = nullptr;
    std::optional<State> (*read)() = nullptr;
    const char* source = nullptr;
  };

  ServiceOrKernel(asio::any_io_executor loop, const Kernel& kernel, std::function<void()> on_change)
      : loop_(std::move(loop)),
        kernel_(kernel),
        on_change_(std::move(on_change)),
        service_(loop_, desktop::system_bus_address(), [this] { compare(); }) {}

  /// Not to be called from a change of the kernel's.
  [[nodiscard]] Told<State> told() {
    last_ = service_.state();
    was_asking_ = service_.is_asking();
    if (last_) {
      events_.reset();
      return {last_, Service::kName};
    }
    if (!events_) {
      events_.emplace(loop_, kernel_.watch(), KernelEvents::Descriptor::wait_read, on_change_);
    }
    return {kernel_.read(), kernel_.source, was_asking_};
  }

 protected:
  [[nodiscard]] const Service& service() const { return service_; }

 private:
  void compare() {
    if (service_.state() != last_ || service_.is_asking() != was_asking_) on_change_();
  }

  asio::any_io_executor loop_;
  Kernel kernel_;
  std::function<void()> on_change_;
  std::optional<State> last_;  ///< of the service, when it was asked last
  bool was_asking_ = false;
  Service service_;
  std::optional<KernelEvents> events_;
};

std::optional<PowerState> read_supplies() { return os::read_power_supplies(); }

std::optional<NetworkState> read_routes() { return NetworkState{os::has_default_route(), false}; }

/// How long whoever was asked stays open for the next question: the loop asks once a second.
constexpr std::chrono::seconds kLingers{5};

}  // namespace

class Providers::Power : public ServiceOrKernel<desktop::UPower, PowerState> {
 public:
  Power(const asio::any_io_executor& loop, const std::function<void()>& on_change)
      : ServiceOrKernel(loop, {os::watch_devices, read_supplies, "/sys/class/power_supply"},
                        on_change) {}
};

class Providers::Network : public ServiceOrKernel<desktop::NetworkManager, NetworkState> {
 public:
  Network(const asio::any_io_executor& loop, const std::function<void()>& on_change)
      : ServiceOrKernel(loop, {os::watch_routes, read_routes, "the kernel's routes"}, on_change) {}

  /// The kernel does not know what the connection costs.
  [[nodiscard]] Told<NetworkState> told() {
    auto answer = ServiceOrKernel::told();
    if (answer.source != desktop::NetworkManager::kName && answer.state &&
        service().is_unreliable()) {
      answer.state->metered = true;
    }
    return answer;
  }
};

class Providers::Users {
 public:
  Users(const asio::any_io_executor& loop, const std::function<void()>& on_change)
      : watch_(loop, presence_places(), on_change) {}

  Presence presence(Duration threshold) {
    watch_.want(threshold);
    return watch_.presence(os::now());
  }
  std::vector<desktop::SourceState> sources(Duration threshold) {
    watch_.want(threshold);
    return watch_.sources();
  }

 private:
  desktop::PresenceWatch watch_;
};

class Providers::Mounts {
 public:
  Mounts(const asio::any_io_executor& loop, const std::function<void()>& on_change)
      : events_(loop, os::watch_mounts(), KernelEvents::Descriptor::wait_error, on_change) {}

 private:
  KernelEvents events_;
};

/// Of what is missing the folders are watched in which it would appear; what a mount brings along
/// is for Mounts to notice.
class Providers::Paths {
 public:
  Paths(asio::any_io_executor loop, std::function<void()> on_change)
      : loop_(std::move(loop)), on_change_(std::move(on_change)) {}

  /// The watch comes first, so that nothing appears between the look and the watch: a folder on the
  /// way may, and then the next is to be watched.
  os::LocalPath::Is look_for(const std::vector<os::Mount>& mounts, const std::string& path) {
    std::string watched;
    for (;;) {
      const os::LocalPath found = os::look_for(mounts, path);
      if (found.is != os::LocalPath::Is::missing || found.folder == watched) return found.is;
      watched = found.folder;
      watch(watched);
    }
  }

 private:
  void watch(const std::string& folder) {
    if (!watch_) watch_ = std::make_unique<FileWatch>(loop_, on_change_);
    (void)watch_->add(folder);  // one that cannot be watched is seen at the next look
  }

  asio::any_io_executor loop_;
  std::function<void()> on_change_;
  std::unique_ptr<FileWatch> watch_;
};

Providers::Providers(asio::any_io_executor loop, std::function<void()> on_change)
    : loop_(std::move(loop)), on_change_(std::move(on_change)) {}

Providers::~Providers() = default;

template <class Provider>
Provider& Providers::open(Seat<Provider>& seat) {
  seat.asked = true;
  if (!seat.provider) seat.provider = std::make_unique<Provider>(loop_, on_change_);
  return *seat.provider;
}

template <class Provider>
void Providers::close_unasked(Seat<Provider>& seat) {
  if (!std::exchange(seat.asked, false)) seat.provider.reset();
}

/// Not only gates ask who is here.
void Providers::close_unasked_users() {
  const bool asked = std::exchange(users_.asked, false);
  if (!asked && steady_now() - users_asked_ > kLingers) users_.provider.reset();
}

Told<PowerState> Providers::power() { return open(power_).told(); }

Told<NetworkState> Providers::network() { return open(network_).told(); }

Presence Providers::presence(Duration threshold) {
  users_asked_ = steady_now();
  return open(users_).presence(threshold);
}

std::vector<desktop::SourceState> Providers::presence_sources(Duration threshold) {
  return open(users_).sources(threshold);
}

bool Providers::is_mounted(const std::variant<MountPoint, VolumeUuid>& what) {
  open(mounts_);
  const auto mounts = os::read_mounts();
  if (const auto* const point = std::get_if<MountPoint>(&what)) {
    return os::is_mount_point(mounts, point->path);
  }
  return os::is_volume_mounted(mounts, std::get<VolumeUuid>(what).uuid);
}

Missing Providers::missing(const std::vector<std::string>& paths) {
  open(mounts_);
  const auto mounts = os::read_mounts();
  Missing missing;
  for (const std::string& path : paths) {
    switch (open(paths_).look_for(mounts, path)) {
      case os::LocalPath::Is::there:
        break;
      case os::LocalPath::Is::missing:
        missing.paths.push_back({path});
        break;
      case os::LocalPath::Is::elsewhere:
        missing.elsewhere.push_back(path);
        break;
    }
  }
  return missing;
}

void Providers::close_unasked() {
  close_unasked(power_);
  close_unasked(network_);
  close_unasked_users();
  close_unasked(mounts_);
  close_unasked(paths_);
}

Driver::UserAway user_away_of(Providers& providers) {
  return [&providers, last = std::optional<Duration>(Duration(0))](Duration threshold) mutable {
    const Presence presence = providers.presence(threshold);
    if (presence.asking) return last;
    last = presence.here_because.empty() ? presence.away : Duration(0);
    return last;
  };
}

}  // namespace lull::supervisor
