#pragma once

#include "jobs/run.hpp"
#include "jobs/zone.hpp"

#include <nlohmann/json_fwd.hpp>

namespace lull::supervisor {

/// A run as `lull history --json` shows it; its keys are fixed by the specification, `detail` is
/// there when there is something to say.
nlohmann::ordered_json record_json(const RunRecord& run, const Zone& zone);

}  // namespace lull::supervisor
