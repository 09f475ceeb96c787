#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lull::cli {

/// Columns that a terminal uses for UTF-8 text: combining marks none, East Asian wide characters
/// and emoji two. Does not ask the locale, which a daemon's client may not have set.
int text_width(std::string_view text);

/// The text with what may not reach a terminal replaced by U+FFFD: control characters (a process
/// may be named with escape sequences), overrides of the writing direction, and broken UTF-8.
std::string printable(std::string_view text);

/// The text, if it needs no more than `width` columns, else as much of its beginning as fits before
/// an ellipsis.
std::string shortened(std::string_view text, int width);

/// The text in lines of at most `width` columns, broken at blanks, and inside of a word only where
/// it is wider than a line. At least one line; 0: no limit.
std::vector<std::string> wrapped(std::string_view text, int width);

}  // namespace lull::cli
