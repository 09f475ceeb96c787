#include "jobs/spec.hpp"

#include <algorithm>

namespace lull {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

template <class Predicate>
bool is_name(std::string_view text, Predicate inside) {
  return !text.empty() && text.size() <= kLongestName && is_alnum(text.front()) &&
         std::all_of(text.begin(), text.end(), inside);
}

bool in_job_name(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

bool is_job_name(std::string_view text) { return is_name(text, in_job_name); }

bool is_lock_name(std::string_view text) {
  return is_name(text, [](char c) { return in_job_name(c) || c == ':'; });
}

}  // namespace lull
