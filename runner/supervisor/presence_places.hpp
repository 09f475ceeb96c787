#pragma once

#include "runner/desktop/presence_watch.hpp"

namespace lull::supervisor {

/// Where the sources of user input are for this process: root's jobs wait for everybody, a user's
/// for that user.
desktop::PresencePlaces presence_places();

}  // namespace lull::supervisor
