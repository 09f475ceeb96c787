#include "config/values.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace lull::config {
namespace {

// Far enough for every job, near enough that adding it to a time cannot overflow.
constexpr Duration kLongest = std::chrono::days(36'500);

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

std::string with_example(std::string_view start, std::string_view example) {
  return std::string(start).append(example);
}

/// The elements of a list that is not empty.
const toml::array* elements(const Value& value, std::string_view example) {
  if (!value) return nullptr;
  const auto* const list = value.node().as_array();
  if (list == nullptr) {
    value.wrong_type(with_example("a list, such as ", example));
  } else if (list->empty()) {
    value.wrong(with_example("is an empty list: leave it out, or write for example ", example));
    return nullptr;
  }
  return list;
}

bool check_name(const Value& value, const std::string& name, const NameRule& rule) {
  if (rule.fits(name)) return true;
  value.wrong(Error(quoted(name) + " is not " + std::string(rule.noun) + ": write " +
                    std::string(rule.rule)));
  return false;
}

/// A bare number gets the units that it may have meant; what is no duration at all gets examples.
template <class T>
void report_unit(const Value& value, Result<T> (*parse)(std::string_view),
                 std::string_view example) {
  const auto* const number = value.node().as_integer();
  if (number == nullptr || number->get() < 0) {
    return value.wrong_type(with_example("a string with a unit, such as ", example));
  }
  value.wrong(parse(std::to_string(number->get())).error());
}

}  // namespace

std::optional<std::string> read_text(const Value& value, std::string_view example) {
  if (!value) return std::nullopt;
  const auto* const text = value.node().as_string();
  if (text == nullptr) {
    value.wrong_type(with_example("a string, such as ", example));
    return std::nullopt;
  }
  if (text->get().find('\0') != std::string::npos) {
    value.wrong(R"(holds a NUL byte, which no program can be given: remove the \u0000)");
    return std::nullopt;
  }
  return text->get();
}

std::optional<std::string> read_line(const Value& value, std::string_view example) {
  auto text = read_text(value, example);
  if (!text || std::none_of(text->begin(), text->end(), is_control)) return text;
  value.wrong(with_example(
      "holds a line break or another control character: write one line, such as ", example));
  return std::nullopt;
}

std::optional<bool> read_flag(const Value& value) {
  if (!value) return std::nullopt;
  if (const auto* const flag = value.node().as_boolean()) return flag->get();
  value.wrong_type("true or false, without quotes");
  return std::nullopt;
}

std::optional<int> read_whole(const Value& value, int low, int high) {
  if (!value) return std::nullopt;
  const auto range = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  const auto* const number = value.node().as_integer();
  if (number == nullptr) {
    value.wrong_type(range + ", without quotes");
    return std::nullopt;
  }
  if (number->get() < low || number->get() > high) {
    value.wrong("is " + std::to_string(number->get()) + ": write " + range);
    return std::nullopt;
  }
  return static_cast<int>(number->get());
}

std::optional<Duration> read_duration(const Value& value, Duration least) {
  if (!value) return std::nullopt;
  if (!value.node().is_string()) {
    report_unit(value, parse_duration, R"("20min")");
    return std::nullopt;
  }
  return check_duration(value, value.node().as_string()->get(), least);
}

std::optional<Duration> check_duration(const Value& value, std::string_view text, Duration least) {
  const auto parsed = parse_duration(text);
  if (!parsed) {
    value.wrong(parsed.error());
  } else if (*parsed == Duration{0} && least > Duration{0}) {
    value.wrong("is zero: leave it out, or write " + quoted(format_duration(least)) + " or more");
  } else if (*parsed < least) {
    value.wrong("is too short: write " + quoted(format_duration(least)) + " or more");
  } else if (*parsed > kLongest) {
    value.wrong("is too long: write " + quoted(format_duration(kLongest)) + " or less");
  } else {
    return *parsed;
  }
  return std::nullopt;
}

std::optional<Bytes> read_bytes(const Value& value) {
  if (!value) return std::nullopt;
  if (!value.node().is_string()) {
    report_unit(value, parse_bytes, R"("10MB")");
    return std::nullopt;
  }
  const auto parsed = parse_bytes(value.node().as_string()->get());
  if (!parsed) {
    value.wrong(parsed.error());
  } else if (parsed->count == 0) {
    value.wrong(R"(is zero: leave it out, or write a size such as "10MB")");
  } else {
    return *parsed;
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_texts(const Value& value, std::string_view example) {
  const auto* const list = elements(value, example);
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  texts.reserve(list->size());
  for (const auto& node : *list) {
    if (auto text = read_text(value.element(node), R"("3")")) texts.push_back(std::move(*text));
  }
  if (texts.size() < list->size()) return std::nullopt;
  return texts;
}

std::optional<std::vector<std::string>> read_names(const Value& value, const NameRule& rule) {
  const auto* const list = elements(value, rule.example);
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> names;
  names.reserve(list->size());  // what `seen` points at must stay where it is
  std::set<std::string_view> seen;
  for (const auto& node : *list) {
    const auto element = value.element(node);
    auto name = read_text(element, rule.example);
    if (!name || !check_name(element, *name, rule)) continue;
    if (seen.contains(*name))
      element.wrong("lists " + quoted(*name) + " twice: remove one of the two");
    names.push_back(std::move(*name));
    seen.insert(names.back());
  }
  return names;
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         std::all_of(text.begin(), text.end(), is_word);
}

std::optional<std::string> read_path(const Value& value, const Home& home) {
  const auto text = read_text(value, R"("/home/ana/Documents" or "~/Documents")");
  return text ? expand_path(value, *text, home) : std::nullopt;
}

std::optional<std::string> expand_path(const Value& value, std::string_view text,
                                       const Home& home) {
  if (text.starts_with('/')) return std::string(text);
  if (text != "~" && !text.starts_with("~/")) {
    value.wrong(text.empty() ? std::string("is empty: write an absolute path, or leave it out")
                             : "is the relative path " + quoted(text) +
                                   ": write an absolute one, which starts with / or ~/");
    return std::nullopt;
  }
  if (!home.known || home.folder.empty()) {
    value.wrong("has a ~, and whose home that is is not known here: write the absolute path");
    return std::nullopt;
  }
  const auto folder =
      home.folder.ends_with('/') ? home.folder.substr(0, home.folder.size() - 1) : home.folder;
  return std::string(folder).append(text.substr(1));
}

std::optional<std::vector<std::string>> read_program(const Value& value, std::string_view example,
                                                     const Home& home) {
  auto argv = read_texts(value, example);
  if (!argv) return std::nullopt;
  auto& program = argv->front();
  if (program.empty()) {
    value.wrong(
        with_example("starts with an empty string: write the program first, such as ", example));
    return std::nullopt;
  }
  if (program.find('/') == std::string::npos) return argv;
  auto path = expand_path(value, program, home);
  if (!path) return std::nullopt;
  program = std::move(*path);
  return argv;
}

void report_choice(const Value& value, std::string_view text,
                   std::span<const std::string_view> names) {
  auto message = "is " + quoted(text) + ": write ";
  if (const auto meant = nearest(text, names)) return value.wrong(message + quoted(*meant));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* const separator = i == 0 ? "" : i + 1 == names.size() ? " or " : ", ";
    message.append(separator).append(quoted(names[i]));
  }
  value.wrong(message);
}

}  // namespace lull::config
