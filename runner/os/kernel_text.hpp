#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lull::os {

/// The parts between separators, empty ones included; at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

/// The lines without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

/// The words between blanks and line ends.
std::vector<std::string_view> words_of(std::string_view text);

/// Without the blanks and line ends at its end.
std::string trimmed(std::string text);

/// A path as mountinfo and mounts write it, where a blank is \040 and so on (proc(5)).
std::string unescape_mount(std::string_view text);

/// The text as a decimal number, if it is nothing else.
template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

}  // namespace lull::os
