#include "runner/os/routes.hpp"

#include "runner/os/kernel_text.hpp"
#include "runner/os/read_file.hpp"

#include <linux/route.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace lull::os {
namespace {

bool is_zero(std::string_view hex) {
  return !hex.empty() && hex.find_first_not_of('0') == std::string_view::npos;
}

/// Up, and no "unreachable" route.
bool leads_on(std::string_view hex_flags) {
  unsigned flags = 0;
  const char* const end = hex_flags.data() + hex_flags.size();
  const auto parsed = std::from_chars(hex_flags.data(), end, flags, 16);
  return parsed.ptr == end && (flags & RTF_UP) != 0 && (flags & RTF_REJECT) == 0;
}

/// "Iface Destination Gateway Flags RefCnt Use Metric Mask …"
bool is_default_v4(const std::vector<std::string_view>& words) {
  return words.size() >= 8 && words[0] != "lo" && is_zero(words[1]) && is_zero(words[7]) &&
         leads_on(words[3]);
}

/// "destination length source length next-hop metric refcnt use flags device"
bool is_default_v6(const std::vector<std::string_view>& words) {
  return words.size() >= 10 && words[9] != "lo" && is_zero(words[0]) && is_zero(words[1]) &&
         leads_on(words[8]);
}

template <class Predicate>
bool any_line(std::string_view text, Predicate is_it) {
  const auto lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(),
                     [&](std::string_view line) { return is_it(words_of(line)); });
}

}  // namespace

bool has_default_route(std::string_view route, std::string_view ipv6_route) {
  return any_line(route, is_default_v4) || any_line(ipv6_route, is_default_v6);
}

bool has_default_route() {
  const auto route = read_file("/proc/net/route");
  const auto ipv6_route = read_file("/proc/net/ipv6_route");
  return has_default_route(route ? *route : std::string(),
                           ipv6_route ? *ipv6_route : std::string());
}

}  // namespace lull::os
