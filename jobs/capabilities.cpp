#include "jobs/capabilities.hpp"

namespace lull {

std::string_view to_string(CpuKnob knob) {
  switch (knob) {
    case CpuKnob::cgroup:
      return "cgroup";
    case CpuKnob::autogroup:
      return "autogroup";
    case CpuKnob::nice:
      return "nice";
    case CpuKnob::none:
      return "none";
  }
  return "none";
}

}  // namespace lull
