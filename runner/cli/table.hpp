#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lull::cli {

enum class Align { left, right };

/// What a cell means, in colours that every terminal has.
enum class Tone { plain, faint, strong, good, notice, bad };

struct Column {
  std::string title;
  Align align = Align::left;
  bool may_shrink = false;  ///< is cut before the others are where the terminal is too narrow
};

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

/// Rows under titles, in columns that are as wide as they must be. Pure: knows no terminal.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// Missing cells are empty.
  void add_row(std::vector<Cell> cells);

  /// The table with a line end after each row, no line wider than `width` columns (0: no limit):
  /// cells that do not fit end with an ellipsis. Nothing in a cell reaches the terminal as a
  /// control sequence.
  [[nodiscard]] std::string render(int width, bool colour) const;

 private:
  [[nodiscard]] std::vector<int> fitted_widths(int width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// To stdout, fitted to the terminal that it may be.
void print_table(const Table& table);

}  // namespace lull::cli
