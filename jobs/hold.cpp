#include "jobs/hold.hpp"

#include <utility>

namespace lull {

void Holds::set(Holder by, std::optional<std::string> reason) {
  if (reason) {
    reasons_[by] = std::move(*reason);
  } else {
    reasons_.erase(by);
  }
}

std::optional<std::string> Holds::reason() const {
  if (reasons_.empty()) return std::nullopt;
  std::string all;
  for (const auto& [holder, reason] : reasons_)
    all += (all.empty() ? "" : "; ") + reason;
  return all;
}

}  // namespace lull
