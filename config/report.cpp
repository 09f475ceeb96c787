#include "config/report.hpp"

#include <algorithm>
#include <tuple>

namespace lull::config {
namespace {

constexpr std::size_t kLongestMessage = 400;
constexpr std::size_t kLongestQuote = 60;
constexpr std::size_t kMostDiagnostics = 200;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

/// At most `limit` bytes, never half a character.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && is_continuation(text[limit]))
    --limit;
  return text.substr(0, limit);
}

void append_visible(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (!is_control(c)) {
    out += c;
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out.append("\\u00").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 0xFU]);
}

auto place(const Diagnostic& d) { return std::tie(d.line, d.column); }

}  // namespace

bool Report::is_full() const { return found_.size() >= kMostDiagnostics; }

void Report::add(Position at, std::string_view message) {
  if (is_full()) return;
  const auto kept = cut(message, kLongestMessage);
  std::string visible;
  visible.reserve(kept.size());
  for (const char c : kept)
    append_visible(visible, c);
  if (kept.size() < message.size()) visible += "…";
  found_.push_back({file_, at.line, at.column, std::move(visible)});
}

void Report::add_missing(Position at, std::string_view message) {
  if (whole_) add(at, message);
}

std::vector<Diagnostic> Report::take() {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  return std::move(found_);
}

std::string quoted(std::string_view text) {
  const auto kept = cut(text, kLongestQuote);
  std::string out = "\"";
  out.append(kept).append(kept.size() < text.size() ? "…\"" : "\"");
  return out;
}

}  // namespace lull::config
