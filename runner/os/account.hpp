#pragma once

#include "jobs/spawn_plan.hpp"

#include <string>
#include <string_view>

namespace lull::os {

/// Looks an account up in the user database by name, with all its groups. May ask the network where
/// the database does: a few milliseconds once per run of a job with `user`.
Result<Account> find_account(std::string_view name);

/// Our own account. $HOME, where it is set, is its home, as for every program that we start; where
/// the database does not know our uid, its number is its name.
Result<Account> own_account();

/// Reads a small file with the rights of `account` and no more: what a job's own user may not read,
/// an environment file cannot leak to it.
Result<std::string> read_file_as(const Account& account, const std::string& path);

}  // namespace lull::os
