#include "config/document.hpp"

#include "config/syntax_remedy.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace lull::config {
namespace {

// Whoever has so many mends these first.
constexpr int kMostErrors = 20;

struct SyntaxError {
  Position at;
  std::string description;
};

/// A file's lines, of which a statement can be blanked out without moving the others.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == '\n') starts_.push_back(i + 1);
    }
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t count() const { return starts_.size(); }

  [[nodiscard]] std::string_view line(std::size_t index) const {
    const auto end = index + 1 < starts_.size() ? starts_[index + 1] : text_.size();
    return std::string_view(text_).substr(starts_[index], end - starts_[index]);
  }

  /// False if there was nothing left to blank.
  bool blank(std::size_t first, std::size_t last) {
    bool changed = false;
    const auto end = last + 1 < starts_.size() ? starts_[last + 1] : text_.size();
    for (auto i = starts_[first]; i < end; ++i) {
      if (text_[i] == '\n' || text_[i] == ' ') continue;
      text_[i] = ' ';
      changed = true;
    }
    return changed;
  }

 private:
  std::string text_;
  std::vector<std::size_t> starts_;
};

std::string_view without_indent(std::string_view line) {
  const auto start = line.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view{} : line.substr(start);
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

/// "[limits]", whatever may be wrong behind the name; not "[1, 2]" or "["a"]", parts of lists.
bool is_header(std::string_view line) {
  line = without_indent(line);
  const auto name = line.find_first_not_of('[');
  return name != 0 && name != std::string_view::npos && line[name] >= 'a' && line[name] <= 'z';
}

/// "key =", the beginning of a statement in all but odd files.
bool is_assignment(std::string_view line) {
  line = without_indent(line);
  const auto end = std::find_if_not(line.begin(), line.end(), is_key_character);
  if (end == line.begin()) return false;
  return without_indent({end, line.end()}).starts_with('=');
}

bool starts_statement(std::string_view line) { return is_header(line) || is_assignment(line); }

/// Whether a list or table that began further up was still open where the parser stopped.
bool was_open(const SyntaxError& error) {
  return error.description.find("parsing array") != std::string::npos ||
         error.description.find("inline table") != std::string::npos;
}

struct Statement {
  std::size_t first = 0;
  std::size_t last = 0;
};

Statement statement_of(const Lines& lines, const SyntaxError& error) {
  Statement found;
  found.last = std::min(static_cast<std::size_t>(error.at.line) - 1, lines.count() - 1);
  if (found.last > 0 && was_open(error) && starts_statement(lines.line(found.last))) --found.last;
  found.first = found.last;
  while (found.first > 0 && !starts_statement(lines.line(found.first)))
    --found.first;
  while (found.last + 1 < lines.count() && !starts_statement(lines.line(found.last + 1))) {
    ++found.last;
  }
  return found;
}

std::optional<SyntaxError> try_parse(std::string_view text, toml::table& root) {
  try {
    root = toml::parse(text, std::string_view{});
    return std::nullopt;
  } catch (const toml::parse_error& error) {
    return SyntaxError{position(error.source()), std::string(error.description())};
  }
}

/// A text that never ends swallowed what follows: nothing behind it can be told apart.
bool swallowed_rest(const SyntaxError& error) {
  return error.description.find("string") != std::string::npos &&
         error.description.find("end-of-file") != std::string::npos;
}

/// Blanks what holds the error; false when parsing on would only tell of consequences.
bool step_over(Lines& lines, const SyntaxError& error, bool& usable) {
  const auto statement = statement_of(lines, error);
  usable = usable && !swallowed_rest(error) && !is_header(lines.line(statement.first));
  return !swallowed_rest(error) && lines.blank(statement.first, statement.last);
}

}  // namespace

Document parse_document(std::string_view text, Report& report) {
  Document document;
  auto error = try_parse(text, document.root);
  if (!error) return document;
  document.complete = false;
  report.expect_parts();
  Lines lines(text);
  for (int errors = 0; errors < kMostErrors; ++errors) {
    report.add(error->at, with_remedy(error->description));
    if (!step_over(lines, *error, document.usable)) break;
    error = try_parse(lines.text(), document.root);
    if (!error) return document;
  }
  document.usable = false;
  return document;
}

}  // namespace lull::config
