#pragma once

#include "jobs/result.hpp"

#include <sys/types.h>

#include <string_view>

namespace lull::os {

/// The uid of a user given by name or, where no user has that name, by number; a number needs no
/// entry in the user database.
Result<uid_t> find_uid(std::string_view name_or_number);

}  // namespace lull::os
