#include "runner/os/keeper_plan.hpp"

#include "runner/keeper/plan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace lull::os {
namespace {

constexpr int kClassShift = 13;
constexpr int kLevelMask = 7;

/// Puts the plan's parts one behind the other, each aligned for the kernel and the keeper.
class Builder {
 public:
  Builder() : block_(sizeof(keeper::Plan)) {}

  keeper::Text text(const std::string& value) {
    const std::uint32_t offset = reserve(value.size() + 1);
    std::memcpy(&block_[offset], value.c_str(), value.size() + 1);
    return {offset, static_cast<std::uint32_t>(value.size())};
  }

  keeper::Texts texts(const std::vector<std::string>& values) {
    const std::uint32_t offset = reserve((values.size() + 1) * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t at = text(values[i]).offset;
      std::memcpy(&block_[offset + i * sizeof at], &at, sizeof at);
    }
    return {offset, static_cast<std::uint32_t>(values.size())};
  }

  template <class T>
  std::uint32_t array(const std::vector<T>& values) {
    const std::uint32_t offset = reserve(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(&block_[offset], values.data(), values.size() * sizeof(T));
    return offset;
  }

  std::vector<std::byte> finish(keeper::Plan plan) {
    plan.size = static_cast<std::uint32_t>(block_.size());
    std::memcpy(block_.data(), &plan, sizeof plan);
    return std::move(block_);
  }

 private:
  std::uint32_t reserve(std::size_t size) {
    const std::size_t offset = (block_.size() + 7) / 8 * 8;
    block_.resize(offset + size);
    return static_cast<std::uint32_t>(offset);
  }
  std::vector<std::byte> block_;
};

std::uint32_t flags_of(const SpawnPlan& plan) {
  std::uint32_t flags = 0;
  if (plan.stdio == Stdio::log) flags |= keeper::kLogOutput;
  if (plan.stdio == Stdio::terminal) flags |= keeper::kTakeTerminal;
  if (plan.stop_with_supervisor) flags |= keeper::kStopWithSupervisor;
  if (plan.become) flags |= keeper::kChangeUser;
  if (plan.directory_is_default) flags |= keeper::kOrRoot;
  return flags;
}

keeper::Cgroups add_cgroups(Builder& builder, const std::vector<CgroupPlacement>& placements) {
  std::vector<keeper::CgroupEntry> entries;
  for (const CgroupPlacement& placement : placements) {
    std::vector<std::string> settings;
    for (const auto& [file, value] : placement.settings) {
      settings.push_back(file);
      settings.push_back(value);
    }
    entries.push_back(
        {builder.text(placement.parent), builder.texts(settings), placement.unified ? 1U : 0U});
  }
  const std::uint32_t offset = builder.array(entries);
  return {offset, static_cast<std::uint32_t>(entries.size())};
}

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(duration).count()));
}

void add_account(Builder& builder, keeper::Plan& block, const Account& account) {
  block.uid = account.uid;
  block.gid = account.gid;
  block.groups.offset = builder.array(account.groups);
  block.groups.count = static_cast<std::uint32_t>(account.groups.size());
}

void add_numbers(keeper::Plan& block, const SpawnPlan& plan, const RunPlace& place) {
  block.flags = flags_of(plan);
  block.supervisor = place.supervisor;
  block.nice = plan.nice;
  block.autogroup_nice = plan.level.nice;
  block.io_priority = raw_io_priority(plan.level.io);
  block.files_soft = place.files_soft;
  block.files_hard = place.files_hard;
  block.stop_timeout_ms = milliseconds(plan.stop_timeout);
  if (plan.timeout) block.timeout_ms = milliseconds(*plan.timeout);
  block.log_size = plan.log_size.count;
  for (const int code : plan.success_exit_codes) {
    const auto bit = static_cast<unsigned>(code);
    block.success[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

}  // namespace

std::vector<std::byte> encode_keeper_plan(const SpawnPlan& plan, const RunPlace& place) {
  Builder builder;
  keeper::Plan block;
  add_numbers(block, plan, place);
  if (plan.become) add_account(builder, block, *plan.become);
  block.run_file = builder.text(place.run_file);
  block.log = builder.text(place.log);
  block.directory = builder.text(plan.directory);
  block.cgroup_name = builder.text(place.cgroup_name);
  block.scope_mount = builder.text(place.scope_mount);
  block.boot_id = builder.text(place.boot_id);
  block.programs = builder.texts(plan.programs);
  block.argv = builder.texts(plan.argv);
  block.environment = builder.texts(plan.environment);
  block.cgroups = add_cgroups(builder, plan.cgroups);
  return builder.finish(block);
}

int raw_io_priority(IoPriority priority) {
  return (static_cast<int>(priority.io_class) << kClassShift) | priority.level;
}

IoPriority io_priority_of(int raw) {
  const auto io_class = static_cast<IoClass>((raw >> kClassShift) & kLevelMask);
  return {io_class, io_class == IoClass::none || io_class == IoClass::idle ? 0 : raw & kLevelMask};
}

}  // namespace lull::os
