#include "config/nearest.hpp"

#include <algorithm>
#include <vector>

namespace lull::config {
namespace {

// No key and no name of ours is longer; a file that brings a longer one meant none of them.
constexpr std::size_t kLongest = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool swapped(std::string_view from, std::string_view to, std::size_t i, std::size_t j) {
  return i > 1 && j > 1 && lower(from[i - 1]) == lower(to[j - 2]) &&
         lower(from[i - 2]) == lower(to[j - 1]);
}

}  // namespace

// Optimal string alignment: three rows of the table are enough.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = lower(from[i - 1]) == lower(to[j - 1]) ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (swapped(from, to, i, j)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[to.size()];
}

std::optional<std::string_view> nearest(std::string_view text,
                                        std::span<const std::string_view> candidates) {
  if (text.size() > kLongest) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = kLongest;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(text, candidate);
    if (distance > std::max<std::size_t>(1, candidate.size() / 3)) continue;
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace lull::config
