#include "runner/supervisor/not_yet.hpp"

namespace lull::supervisor {

std::vector<std::string> keys_without_effect(const JobSpec& spec) {
  std::vector<std::string> keys;
  const auto note = [&keys](bool is_set, const char* key) {
    if (is_set) keys.emplace_back(key);
  };
  note(spec.limits.retries > 0, "retries");
  note(!spec.limits.locks.empty(), "locks");
  note(spec.priority.pause == PauseMethod::terminate, "pause = \"terminate\"");
  note(spec.output.has_value(), "[output]");
  note(spec.notify != NotifySpec{}, "[notify]");
  return keys;
}

}  // namespace lull::supervisor
