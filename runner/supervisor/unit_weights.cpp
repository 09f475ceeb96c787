#include "runner/supervisor/unit_weights.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/supervisor/coroutine.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

asio::awaitable<void> set(std::shared_ptr<desktop::ServiceManager> manager, std::string unit,
                          Level level) {
  const auto told = co_await manager->set(unit, weights_of(level));
  // A scope may have ended meanwhile.
  if (!told) spdlog::debug("{}: {}", unit, told.error().what());
}

}  // namespace

desktop::UnitProperties weights_of(const Level& level) {
  // CPUWeight's "idle" is 0 on the bus.
  const int cpu = level.nice >= kIdleNice ? 0 : os::cpu_weight_of_nice(level.nice);
  return {{"CPUWeight", static_cast<std::uint64_t>(cpu)},
          {"IOWeight", static_cast<std::uint64_t>(os::io_weight_of(level))}};
}

UnitWeights::UnitWeights(asio::any_io_executor loop) : loop_(std::move(loop)) {}

void UnitWeights::tell(const std::string& folder, const Level& level) {
  if (!folder.ends_with(".scope") && !folder.ends_with(".slice")) return;
  if (!manager_) {
    auto socket = desktop::ServiceManager::own_socket();
    if (!socket) return;
    manager_ = std::make_shared<desktop::ServiceManager>(loop_, std::move(*socket));
  }
  asio::co_spawn(loop_, set(manager_, os::name_of(folder), level),
                 log_exit("telling the service manager of a weight failed"));
}

}  // namespace lull::supervisor
