#pragma once

#include <map>
#include <optional>
#include <string>

namespace lull {

/// Who may hold a run beside the loop, which does so for the foreground's sake.
enum class Holder {
  hand,  ///< somebody who paused its job
  gate,  ///< a gate that failed while it ran
};

/// Those who hold one run. Each speaks for itself alone: the run goes on when the last lets go.
class Holds {
 public:
  /// Replaces what this holder said; nothing: it holds the run no more.
  void set(Holder by, std::optional<std::string> reason);
  /// What all of them say; nothing: nobody holds the run.
  [[nodiscard]] std::optional<std::string> reason() const;

 private:
  std::map<Holder, std::string> reasons_;
};

}  // namespace lull
