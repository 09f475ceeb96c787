#include "runner/supervisor/scopes.hpp"

#include "runner/os/cgroup_tree.hpp"
#include "runner/os/cgroups.hpp"
#include "runner/os/keeper_process.hpp"
#include "runner/os/pidfd.hpp"
#include "runner/os/process.hpp"
#include "runner/os/read_file.hpp"
#include "runner/os/run_processes.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace lull::supervisor {
namespace {

namespace asio = boost::asio;

bool is_never_favoured(const LevelTable& levels) {
  const auto* strained = std::get_if<Level>(&levels.strained);
  const int best = std::min({levels.idle.nice, levels.light.nice, levels.busy.nice,
                             strained == nullptr ? kIdleNice : strained->nice});
  return best >= kIdleNice;
}

desktop::UnitProperties properties_of(const Launched& launched) {
  const SpawnPlan& plan = launched.plan;
  const auto stop_timeout = std::chrono::ceil<std::chrono::microseconds>(plan.stop_timeout);
  desktop::UnitProperties properties = weights_of(plan.level);
  properties.emplace_back("Slice", plan.scope->slice);
  properties.emplace_back("Description", "a job of lull's: " + plan.argv.front());
  properties.emplace_back("CollectMode", "inactive-or-failed");
  properties.emplace_back("TimeoutStopUSec", static_cast<std::uint64_t>(stop_timeout.count()));
  if (plan.scope->memory) properties.emplace_back("MemoryHigh", plan.scope->memory->count);
  return properties;
}

/// A slice that nobody has given a weight yet.
bool is_new(const std::string& slice) {
  const auto weight = os::read_file(slice + "/cpu.weight");
  const auto idle = os::read_file(slice + "/cpu.idle");
  return weight && *weight == "100\n" && (!idle || *idle == "0\n");
}

}  // namespace

std::optional<ScopeManager> scope_manager() {
  auto mount = os::sole_unified_mount();
  if (!mount || os::belongs_to_run(::getpid())) return std::nullopt;
  auto socket = desktop::ServiceManager::own_socket();
  if (!socket) return std::nullopt;
  return ScopeManager{std::move(*mount), std::move(*socket)};
}

asio::awaitable<Result<void>> put_in_scope(desktop::ServiceManager& manager, desktop::Scope scope,
                                           Level level) {
  const std::string name = scope.name;
  const pid_t process = scope.process;
  auto started = co_await manager.start_scope(std::move(scope));
  if (!started) co_return started.error();
  const auto folders = os::groups_called(name, process);
  if (folders.empty()) co_return Error("the service manager left it where it was");
  for (const std::string& slice : os::lull_groups_above(folders.front())) {
    if (!is_new(slice)) continue;
    const std::string unit = os::name_of(slice);
    auto weighed = co_await manager.set(unit, weights_of(level));
    if (!weighed) co_return weighed.error().within(unit);
  }
  co_return boost::system::in_place_value;
}

Scopes::Scopes(asio::any_io_executor loop) : of_machine_(::geteuid() == 0) {
  auto manager = scope_manager();
  if (!manager) return;
  mount_ = std::move(manager->mount);
  own_unit_ = desktop::ServiceManager::own_unit();
  manager_.emplace(std::move(loop), std::move(manager->socket),
                   [this](const std::string& unit) { interrupted(unit); });
}

std::optional<ScopePlacement> Scopes::placement(const JobSpec& spec) const {
  if (!manager_) return std::nullopt;
  const LevelTable& levels = spec.priority.levels;
  const char* slice = is_never_favoured(levels) ? "lull-idle.slice"
                      : levels.adapts           ? "lull.slice"
                      : of_machine_             ? "system.slice"
                                                : "app.slice";
  return ScopePlacement{mount_, slice, spec.limits.memory};
}

asio::awaitable<void> Scopes::place(Launched& launched, pid_t process) {
  // Named, since GCC 12 destroys a braced temporary in a co_await twice.
  desktop::Scope scope{launched.scope_name(), properties_of(launched), process, own_unit_};
  const auto placed = co_await put_in_scope(*manager_, std::move(scope), launched.plan.level);
  if (placed) {
    if (auto keeper = os::identify_process(launched.keeper.pid)) {
      remember(launched.scope_name(), std::move(*keeper));
    }
  } else {
    launched.scope_failed = placed.error().what();
    spdlog::warn("no scope for {}: {}", launched.scope_name(), launched.scope_failed);
  }
  launched.go.reset();
}

void Scopes::take_up(const os::RunProcesses& run) {
  if (!manager_ || run.cgroups.empty() || !run.cgroups.front().ends_with(".scope")) return;
  const std::string& folder = run.cgroups.front();
  remember(os::name_of(folder), run.keeper);
  if (const auto listens = manager_->listen(); !listens) {
    spdlog::warn("{}", listens.error().what());
  } else {
    os::take_up_keeper(run.keeper);
  }
}

void Scopes::remember(const std::string& unit, os::ProcessIdentity keeper) {
  std::erase_if(keepers_, [](const auto& one) { return !os::open_process(one.second); });
  keepers_.insert_or_assign(unit, std::move(keeper));
}

/// The manager ends it: with the session, with the machine, or because somebody asked it to.
void Scopes::interrupted(const std::string& unit) {
  const auto found = keepers_.find(unit);
  if (found == keepers_.end()) return;
  if (const os::Fd keeper = os::open_process(found->second)) {
    os::send_signal(keeper.get(), keeper::kInterruptedSignal);
  }
}

}  // namespace lull::supervisor
