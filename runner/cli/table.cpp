#include "runner/cli/table.hpp"

#include "runner/cli/terminal.hpp"
#include "runner/cli/text_width.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string_view>

namespace lull::cli {
namespace {

constexpr int kSpaceBetween = 2;
/// A column that may shrink keeps this much before the others are cut too.
constexpr int kReadable = 8;

std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::notice:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
  }
  return "";
}

std::string toned(const std::string& text, Tone tone, bool colour) {
  const std::string_view escape = colour ? escape_of(tone) : "";
  if (escape.empty() || text.empty()) return text;
  return std::string(escape) + text + "\x1b[0m";
}

/// One cell with the blanks that fill its column. The last column of a line needs none on its
/// right.
std::string filled(const Cell& cell, const Column& column, int width, bool last, bool colour) {
  const std::string text = shortened(cell.text, width);
  const auto rest = static_cast<std::size_t>(std::max(0, width - text_width(text)));
  const std::string blanks(rest, ' ');
  const std::string shown = toned(text, cell.tone, colour);
  if (column.align == Align::right) return blanks + shown;
  return last ? shown : shown + blanks;
}

int total_width(const std::vector<int>& widths) {
  const int between = kSpaceBetween * std::max(0, static_cast<int>(widths.size()) - 1);
  return std::accumulate(widths.begin(), widths.end(), between);
}

/// The widest column of those that `may` names and that is wider than `least`, or none.
template <class May>
int* widest(std::vector<int>& widths, int least, May may) {
  int* found = nullptr;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (may(i) && widths[i] > least && (found == nullptr || widths[i] > *found)) found = &widths[i];
  }
  return found;
}

}  // namespace

void Table::add_row(std::vector<Cell> cells) {
  for (Cell& cell : cells)
    cell.text = printable(cell.text);
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::fitted_widths(int width) const {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int needed = text_width(columns_[i].title);
    for (const auto& row : rows_)
      needed = std::max(needed, text_width(row[i].text));
    widths.push_back(needed);
  }
  while (width > 0 && total_width(widths) > width) {
    int* column = widest(widths, kReadable, [&](std::size_t i) { return columns_[i].may_shrink; });
    if (column == nullptr) column = widest(widths, 1, [](std::size_t) { return true; });
    if (column == nullptr) break;  // not even one character for each
    --*column;
  }
  return widths;
}

std::string Table::render(int width, bool colour) const {
  const std::vector<int> widths = fitted_widths(width);
  std::string text;
  const auto add_line = [&](const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      text += filled(cells[i], columns_[i], widths[i], last, colour);
      if (!last) text += std::string(kSpaceBetween, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_)
    titles.push_back({column.title, Tone::strong});
  add_line(titles);
  for (const auto& row : rows_)
    add_line(row);
  return text;
}

void print_table(const Table& table) {
  const Terminal terminal = terminal_at(STDOUT_FILENO);
  std::fputs(table.render(terminal.width, terminal.colour).c_str(), stdout);
}

}  // namespace lull::cli
