#include "jobs/after.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace lull {
namespace {

/// A walk along the arrows that looks for the way back to where it began.
class Search {
 public:
  Search(const AfterGraph& graph, std::string_view goal) : graph_(graph), goal_(goal) {}

  /// Whether the goal is found from `job` on; then `path` holds the way there, last step first.
  bool find(std::string_view job, std::vector<std::string>& path) {
    const auto found = graph_.find(job);
    if (found == graph_.end()) return false;
    for (const std::string& next : found->second) {
      if (next != goal_ && (!seen_.insert(next).second || !find(next, path))) continue;
      path.push_back(next);
      return true;
    }
    return false;
  }

 private:
  const AfterGraph& graph_;
  std::string_view goal_;
  std::set<std::string_view> seen_;
};

}  // namespace

std::vector<std::string> cycle_through(const AfterGraph& graph, std::string_view job) {
  std::vector<std::string> path;
  if (!Search(graph, job).find(job, path)) return {};
  path.emplace_back(job);
  std::reverse(path.begin(), path.end());
  return path;
}

TimePoint successes_count_from(const std::optional<Schedule>& schedule, TimePoint slot,
                               std::optional<TimePoint> last_run, TimePoint first_seen,
                               const Zone& zone) {
  if (schedule) {
    const auto before =
        last_slot(*schedule, TimePoint::min(), slot - Duration(1), first_seen, zone);
    if (before) return *before;
  }
  return std::max(first_seen, last_run.value_or(first_seen));
}

}  // namespace lull
