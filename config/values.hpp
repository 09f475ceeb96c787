#pragma once

// Internal to config/: typed values. Each reader gives nothing when the value is absent and when it
// is wrong, which it has then reported.
#include "config/nearest.hpp"
#include "config/section.hpp"
#include "jobs/units.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lull::config {

/// Takes over what was read, and leaves `target` as it is if nothing was.
template <class Target, class T>
void assign(Target& target, std::optional<T> value) {
  if (value) target = std::move(*value);
}

/// A string without NUL, which neither argv nor a path nor an environment could carry. `example` is
/// written into the remedy, with its quotes: R"("02:30")".
std::optional<std::string> read_text(const Value& value, std::string_view example);
/// The same, of one line and without other control characters.
std::optional<std::string> read_line(const Value& value, std::string_view example);

/// true or false.
std::optional<bool> read_flag(const Value& value);

/// A whole number from `low` to `high`.
std::optional<int> read_whole(const Value& value, int low, int high);

/// A duration from `least` to a hundred years.
std::optional<Duration> read_duration(const Value& value, Duration least);

/// The duration that `text` means, within the same bounds; `value` names it in errors.
std::optional<Duration> check_duration(const Value& value, std::string_view text, Duration least);

/// A size of at least one byte.
std::optional<Bytes> read_bytes(const Value& value);

/// The strings of a list that is not empty; `example` shows a whole list.
std::optional<std::vector<std::string>> read_texts(const Value& value, std::string_view example);

/// What the elements of a list of names must be.
struct NameRule {
  bool (*fits)(std::string_view name) = nullptr;
  std::string_view noun;     ///< "a job's name"
  std::string_view rule;     ///< "small letters, digits, '.', '_' and '-'"
  std::string_view example;  ///< R"(["prune"])"
};

/// A list of names, none twice.
std::optional<std::vector<std::string>> read_names(const Value& value, const NameRule& rule);

/// A name of an environment variable, without the '='.
bool is_variable_name(std::string_view text);

/// Where a leading ~/ leads.
struct Home {
  std::string_view folder;
  /// False for jobs of another user than the instance's: whose home that is is not known here.
  bool known = true;
};

/// An absolute path, "~/" expanded.
std::optional<std::string> read_path(const Value& value, const Home& home);
/// The path that `text` means, if it is one; `value` names it in errors.
std::optional<std::string> expand_path(const Value& value, std::string_view text, const Home& home);

/// argv: a program and its arguments. Only the program is a path of ours: what the arguments mean,
/// `~` included, is the program's affair, since no shell comes between.
std::optional<std::vector<std::string>> read_program(const Value& value, std::string_view example,
                                                     const Home& home);

/// One of a closed set and how it is written.
template <class Enum>
struct Choice {
  std::string_view name;
  Enum value;
};

/// Reports a string that is none of the choices.
void report_choice(const Value& value, std::string_view text,
                   std::span<const std::string_view> names);

template <class Enum, std::size_t N>
std::optional<Enum> match_choice(const Value& value, std::string_view text,
                                 const std::array<Choice<Enum>, N>& choices) {
  std::array<std::string_view, N> names;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].name == text) return choices[i].value;
    names[i] = choices[i].name;
  }
  report_choice(value, text, names);
  return std::nullopt;
}

template <class Enum, std::size_t N>
std::optional<Enum> read_choice(const Value& value, const std::array<Choice<Enum>, N>& choices) {
  const auto text = read_text(value, quoted(choices[0].name));
  return text ? match_choice(value, *text, choices) : std::nullopt;
}

}  // namespace lull::config
