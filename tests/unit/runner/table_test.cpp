#include "runner/cli/table.hpp"

#include "runner/cli/terminal.hpp"
#include "runner/cli/text_width.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace {

using namespace lull::cli;

Table sample() {
  Table table({{"PID", Align::right}, {"NAME"}, {"PATH", Align::left, true}});
  table.add_row({{"7"}, {"cat"}, {"/user.slice/user-1000.slice/app.slice"}});
  table.add_row({{"12345"}, {"ノート", Tone::bad}, {"/"}});
  return table;
}

int widest_line(const std::string& text) {
  std::istringstream lines(text);
  int widest = 0;
  for (std::string line; std::getline(lines, line);)
    widest = std::max(widest, text_width(line));
  return widest;
}

TEST_CASE("table: columns are as wide as they must be, and lines end without blanks") {
  CHECK(sample().render(0, false) ==
        "  PID  NAME    PATH\n"
        "    7  cat     /user.slice/user-1000.slice/app.slice\n"
        "12345  ノート  /\n");
}

TEST_CASE("table: what may shrink is cut first, with an ellipsis") {
  CHECK(sample().render(30, false) ==
        "  PID  NAME    PATH\n"
        "    7  cat     /user.slice/us…\n"
        "12345  ノート  /\n");
}

TEST_CASE("table: no line is wider than the terminal as long as each column has a character") {
  for (int width = 7; width < 60; ++width) {
    CAPTURE(width);
    CHECK(widest_line(sample().render(width, false)) <= width);
  }
  CHECK_FALSE(sample().render(1, false).empty());
}

TEST_CASE("table: colour changes nothing but the colour") {
  const std::string coloured = sample().render(0, true);
  CHECK_THAT(coloured, ContainsSubstring("\x1b[31mノート\x1b[0m"));
  std::string plain = coloured;
  for (auto begin = plain.find('\x1b'); begin != std::string::npos; begin = plain.find('\x1b')) {
    plain.erase(begin, plain.find('m', begin) - begin + 1);
  }
  CHECK(plain == sample().render(0, false));
  CHECK(sample().render(0, false).find('\x1b') == std::string::npos);
}

TEST_CASE("table: cells cannot command the terminal, and missing ones are empty") {
  Table table({{"A"}, {"B"}});
  table.add_row(
      {{"\x1b[2J\n\xff"
        "x"}});
  CHECK(table.render(0, true).find("\x1b[2J") == std::string::npos);
  CHECK(table.render(0, false) == "A        B\n\uFFFD[2J\uFFFD\uFFFDx\n");
}

TEST_CASE("table: with no rows there are the titles") {
  CHECK(Table({{"A"}, {"B"}}).render(80, false) == "A  B\n");
  CHECK(Table({}).render(80, false) == "\n");
}

TEST_CASE("text width: counts what a terminal shows") {
  CHECK(text_width("abc") == 3);
  CHECK(text_width("") == 0);
  CHECK(text_width("äöü") == 3);
  CHECK(text_width("e\u0301") == 1);
  CHECK(text_width("日本") == 4);
  CHECK(text_width("🙂") == 2);
  CHECK(text_width("\xff\xc3") == 2);
  CHECK(text_width("\xed\xa0\x80") == 3);  // a surrogate is no character
}

TEST_CASE("text width: shortening never cuts a character") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "ab…");
  CHECK(shortened("日本語", 4) == "日…");
  CHECK(shortened("abc", 1) == "…");
  CHECK(shortened("abc", 0).empty());
}

TEST_CASE("text width: a wrapped text keeps every word, and no line is too wide") {
  using Lines = std::vector<std::string>;
  CHECK(wrapped("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 8) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 6) == Lines{"one", "two", "three"});
  CHECK(wrapped("one two", 7) == Lines{"one two"});
  CHECK(wrapped("one two", 0) == Lines{"one two"});
  CHECK(wrapped("/a/long/path x", 5) == Lines{"/a/lo", "ng/pa", "th x"});
  CHECK(wrapped("日本語 x", 4) == Lines{"日本", "語 x"});
  CHECK(wrapped("日本", 1) == Lines{"日", "本"});
  CHECK(wrapped("", 5) == Lines{""});
}

TEST_CASE("text width: printable keeps text and replaces what steers") {
  CHECK(printable("backup ä 日本") == "backup ä 日本");
  CHECK(printable("a\tb\x7f") == "a\uFFFDb\uFFFD");
  CHECK(printable("\u202Egnp.exe") == "\uFFFDgnp.exe");
  CHECK(printable("\u009B31m") == "\uFFFD31m");
  CHECK(printable("\xc0\xaf") == "\uFFFD\uFFFD");
}

TEST_CASE("terminal: no colour and no limit in a file, and NO_COLOR and TERM=dumb are obeyed") {
  TerminalFacts facts{.is_terminal = true,
                      .columns = 120,
                      .columns_env = "99",
                      .no_color_env = std::nullopt,
                      .term_env = "xterm"};
  CHECK(terminal_of(facts) == Terminal{120, true});
  facts.columns = 0;
  CHECK(terminal_of(facts) == Terminal{99, true});
  facts.columns_env = "x";
  CHECK(terminal_of(facts) == Terminal{80, true});
  facts.no_color_env = "";
  CHECK(terminal_of(facts).colour);
  facts.no_color_env = "1";
  CHECK_FALSE(terminal_of(facts).colour);
  facts.no_color_env = std::nullopt;
  facts.term_env = "dumb";
  CHECK_FALSE(terminal_of(facts).colour);
  facts.is_terminal = false;
  CHECK(terminal_of(facts) == Terminal{0, false});
}

}  // namespace
