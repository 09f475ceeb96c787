#include "runner/cli/text_width.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace lull::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

struct Character {
  std::uint32_t code = 0xFFFD;
  std::string_view bytes;
  bool valid = false;
};

/// How many bytes a sequence has by its first one; 0 where none may begin so.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

bool is_well_formed(std::uint32_t code, std::size_t length) {
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  return code >= kSmallest.at(length) && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/// The first character of a text that is not empty; a byte that belongs to none stands alone.
Character first_character(std::string_view text) {
  constexpr std::array<unsigned char, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = sequence_length(lead);
  const Character broken{0xFFFD, text.substr(0, 1), false};
  if (length == 0 || length > text.size()) return broken;
  std::uint32_t code = lead & kLeadBits.at(length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return broken;
    code = code << 6 | (byte & 0x3F);
  }
  if (!is_well_formed(code, length)) return broken;
  return {code, text.substr(0, length), true};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t size>
bool is_in(std::uint32_t code, const std::array<Range, size>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](Range range) { return code >= range.first && code <= range.last; });
}

// From Unicode 15: EastAsianWidth.txt (W and F) and the combining blocks, coarsely.
constexpr std::array<Range, 17> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x4DBF},
                                       {0x4E00, 0x9FFF},
                                       {0xA000, 0xA4CF},
                                       {0xA960, 0xA97F},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1F64F},
                                       {0x1F680, 0x1F6FF},
                                       {0x1F900, 0x1F9FF},
                                       {0x1FA70, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 10> kNarrowless{{{0x0300, 0x036F},
                                             {0x0483, 0x0489},
                                             {0x0591, 0x05BD},
                                             {0x064B, 0x065F},
                                             {0x1AB0, 0x1AFF},
                                             {0x1DC0, 0x1DFF},
                                             {0x200B, 0x200D},
                                             {0x20D0, 0x20FF},
                                             {0xFE00, 0xFE0F},
                                             {0xFE20, 0xFE2F}}};
constexpr std::array<Range, 5> kHarmful{
    {{0x00, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}}};

int width_of(std::uint32_t code) {
  if (is_in(code, kNarrowless)) return 0;
  return is_in(code, kWide) ? 2 : 1;
}

/// The longest beginning that fits, and at least one character.
std::string_view beginning(std::string_view text, int width) {
  std::size_t taken = 0;
  while (taken < text.size()) {
    const Character character = first_character(text.substr(taken));
    width -= width_of(character.code);
    if (width < 0 && taken > 0) break;
    taken += character.bytes.size();
  }
  return text.substr(0, taken);
}

/// The text's first line, with nothing of the blank at which it is broken.
std::string_view first_line(std::string_view text, int width) {
  const std::string_view fits = beginning(text, width);
  if (fits.size() == text.size() || text[fits.size()] == ' ') return fits;
  const std::size_t blank = fits.rfind(' ');
  return blank == std::string_view::npos ? fits : fits.substr(0, blank);
}

}  // namespace

int text_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += width_of(character.code);
    text.remove_prefix(character.bytes.size());
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool harmless = character.valid && !is_in(character.code, kHarmful);
    clean += harmless ? character.bytes : kReplacement;
    text.remove_prefix(character.bytes.size());
  }
  return clean;
}

std::string shortened(std::string_view text, int width) {
  if (text_width(text) <= width) return std::string(text);
  if (width <= 0) return {};
  std::string kept;
  int left = width - 1;
  while (!text.empty()) {
    const Character character = first_character(text);
    left -= width_of(character.code);
    if (left < 0) break;
    kept += character.bytes;
    text.remove_prefix(character.bytes.size());
  }
  return kept += kEllipsis;
}

std::vector<std::string> wrapped(std::string_view text, int width) {
  std::vector<std::string> lines;
  while (width > 0 && text_width(text) > width) {
    lines.emplace_back(first_line(text, width));
    text.remove_prefix(lines.back().size());
    if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

}  // namespace lull::cli
