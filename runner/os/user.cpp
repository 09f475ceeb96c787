#include "runner/os/user.hpp"

#include "runner/os/account.hpp"

#include <charconv>
#include <limits>

namespace lull::os {

Result<uid_t> find_uid(std::string_view name_or_number) {
  const auto account = find_account(name_or_number);
  if (account) return account->uid;
  uid_t uid = 0;
  const char* const end = name_or_number.data() + name_or_number.size();
  const auto parsed = std::from_chars(name_or_number.data(), end, uid);
  // The highest number means "no user" to the kernel.
  const bool is_uid =
      parsed.ec == std::errc{} && parsed.ptr == end && uid != std::numeric_limits<uid_t>::max();
  if (is_uid) return uid;
  return account.error();
}

}  // namespace lull::os
