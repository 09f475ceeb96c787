#include "config/syntax_remedy.hpp"

#include <algorithm>
#include <array>

namespace lull::config {
namespace {

/// Any message of toml++ that contains `sign` gets `remedy`; the first that fits.
struct Remedy {
  std::string_view sign;
  std::string_view remedy;
};

constexpr std::array kRemedies{
    Remedy{"cannot redefine existing table", "write it once, with all its keys under it"},
    Remedy{"cannot redefine", "remove one of the two"},
    Remedy{"could not determine value type", R"(write text in quotes, such as "daily")"},
    Remedy{"parsing boolean", "write true or false, or text in quotes"},
    Remedy{"dangling comma", "remove the last comma"},
    Remedy{"end-of-file", "close the text with the quotes that opened it, or the list with ]"},
    Remedy{"control character", "close the text with a quote before the line ends"},
    Remedy{"unknown escape", R"(write \\ for a backslash, or put the text in single quotes)"},
    Remedy{"utf-8", "save the file as UTF-8"},
    Remedy{"table header", "write the name between [ and ] on a line of its own"},
    Remedy{"parsing array", "write a comma between the elements and ] behind the last"},
    Remedy{"inline table", "write { key = value, key = value } on one line"},
    Remedy{"expected '='", "write key = value"},
    Remedy{"expected value", "write a value behind the ="},
    Remedy{"expected a comment", "put each key on a line of its own, and text in quotes"},
    Remedy{"expected keys", "write key = value or [table]"},
    Remedy{"parsing decimal integer", R"(write a value with a unit in quotes, such as "30min")"},
    Remedy{"parsing date", R"(write dates and times in quotes, such as "02:30")"},
    Remedy{"parsing time", R"(write dates and times in quotes, such as "02:30")"},
};

/// "Error while parsing key-value pair: expected '='…" without its first half.
std::string_view essence(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  const auto colon = description.find(": ");
  if (!description.starts_with(kPrefix) || colon == std::string_view::npos) return description;
  return description.substr(colon + 2);
}

}  // namespace

std::string with_remedy(std::string_view description) {
  const auto* const found =
      std::find_if(kRemedies.begin(), kRemedies.end(), [&](const Remedy& remedy) {
        return description.find(remedy.sign) != std::string_view::npos;
      });
  std::string message(essence(description));
  message += ": ";
  message += found == kRemedies.end() ? "write it as toml.io describes" : found->remedy;
  return message;
}

}  // namespace lull::config
