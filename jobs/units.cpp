#include "jobs/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace lull {
namespace {

using std::string_view_literals::operator""sv;

struct Unit {
  std::string_view name;
  std::uint64_t factor = 0;
};

/// A spelling that people try, and ours for it.
struct Alias {
  std::string_view spelling;
  std::string_view name;
};

struct Part {
  std::string_view digits;
  std::string_view unit;
};

constexpr std::array kTimeUnits{
    Unit{"us", 1},
    Unit{"ms", 1'000},
    Unit{"s", 1'000'000},
    Unit{"min", 60'000'000},
    Unit{"h", 3'600'000'000},
    Unit{"d", 86'400'000'000},
    Unit{"w", 604'800'000'000},
};

constexpr std::array kSizeUnits{
    Unit{"B", 1},
    Unit{"kB", 1'000},
    Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"TB", 1'000'000'000'000},
    Unit{"K", 1ULL << 10},
    Unit{"M", 1ULL << 20},
    Unit{"G", 1ULL << 30},
    Unit{"T", 1ULL << 40},
    Unit{"KiB", 1ULL << 10},
    Unit{"MiB", 1ULL << 20},
    Unit{"GiB", 1ULL << 30},
    Unit{"TiB", 1ULL << 40},
};

// "m" is a month in some formats and a minute in others, so it is refused like the long words.
constexpr std::array kTimeAliases{
    Alias{"usec", "us"},    Alias{"msec", "ms"},   Alias{"sec", "s"},       Alias{"secs", "s"},
    Alias{"second", "s"},   Alias{"seconds", "s"}, Alias{"m", "min"},       Alias{"mins", "min"},
    Alias{"minute", "min"}, Alias{"hr", "h"},      Alias{"minutes", "min"}, Alias{"hours", "h"},
    Alias{"hour", "h"},     Alias{"H", "h"},       Alias{"day", "d"},       Alias{"days", "d"},
    Alias{"D", "d"},        Alias{"week", "w"},    Alias{"weeks", "w"},     Alias{"M", "min"},
};

constexpr std::array kSizeAliases{
    Alias{"b", "B"},     Alias{"bytes", "B"}, Alias{"k", "K"},     Alias{"m", "M"},
    Alias{"g", "G"},     Alias{"t", "T"},     Alias{"kb", "kB"},   Alias{"KB", "kB"},
    Alias{"mb", "MB"},   Alias{"gb", "GB"},   Alias{"tb", "TB"},   Alias{"kib", "KiB"},
    Alias{"kiB", "KiB"}, Alias{"mib", "MiB"}, Alias{"gib", "GiB"}, Alias{"tib", "TiB"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

template <class Predicate>
std::string_view take_while(std::string_view& rest, Predicate belongs) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), belongs);
  const auto taken = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(taken.size());
  return taken;
}

/// Takes one number and its unit, which may be empty, and the blanks around them.
Part take_part(std::string_view& rest) {
  const auto digits = take_while(rest, is_digit);
  take_while(rest, is_blank);
  const auto unit = take_while(rest, [](char c) { return !is_digit(c) && !is_blank(c); });
  take_while(rest, is_blank);
  return {digits, unit};
}

std::optional<std::uint64_t> factor_of(std::span<const Unit> units, std::string_view name) {
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return std::nullopt;
  return unit->factor;
}

std::string_view usual_spelling(std::span<const Alias> aliases, std::string_view unit) {
  const auto alias = std::find_if(aliases.begin(), aliases.end(),
                                  [&](const Alias& a) { return a.spelling == unit; });
  return alias == aliases.end() ? ""sv : alias->name;
}

/// One kind of quantity: its units and how its errors are worded.
struct Scale {
  std::span<const Unit> units;
  std::span<const Alias> aliases;
  std::string_view noun;
  std::string_view examples;              ///< the remedy for an empty or unreadable text
  std::string_view fraction;              ///< the remedy for a fraction
  std::array<std::string_view, 3> usual;  ///< units to offer for a bare number
  std::string_view all;                   ///< every unit
};

constexpr Scale kTime{kTimeUnits,
                      kTimeAliases,
                      "duration",
                      R"(write a number with a unit, such as "90s", "20min" or "6h")",
                      R"(write whole numbers, such as "1h 30min")",
                      {"s", "min", "h"},
                      "us, ms, s, min, h, d or w"};
constexpr Scale kSize{kSizeUnits,
                      kSizeAliases,
                      "size",
                      R"(write a number with a unit, such as "10MB" or "2G")",
                      R"(write a whole number of a smaller unit, such as "1536M" for 1.5G)",
                      {"kB", "MB", "G"},
                      "B, K, M, G, T, kB, MB, GB or TB"};

Error bare_number(const Scale& scale, std::string_view digits) {
  const auto with = [&](std::size_t i) {
    return quoted(std::string(digits).append(scale.usual.at(i)));
  };
  return Error(quoted(digits) + " has no unit: write " + with(0) + ", " + with(1) + " or " +
               with(2));
}

Error no_number(const Scale& scale, std::string_view text) {
  if (text.empty()) {
    return Error("the " + std::string(scale.noun) + " is empty: " + std::string(scale.examples));
  }
  const auto trouble =
      text.front() == '-' ? " is negative: "sv : " does not start with a number: "sv;
  return Error(quoted(text).append(trouble).append(scale.examples));
}

Error unknown_unit(const Scale& scale, const Part& part, std::string_view usual) {
  if (part.unit.front() == '.' || part.unit.front() == ',') {
    return Error("a fraction is not accepted: " + std::string(scale.fraction));
  }
  const auto start = "unknown unit " + quoted(part.unit) + ": write ";
  if (usual.empty()) return Error(start + std::string(scale.all));
  return Error(start + quoted(std::string(part.digits).append(usual)));
}

Error too_large(const Scale& scale, std::string_view text) {
  return Error(quoted(text) + " is too large for a " + std::string(scale.noun) +
               ": write a smaller number");
}

/// number * factor, or nothing where that would pass `limit`.
std::optional<std::uint64_t> scaled(std::string_view digits, std::uint64_t factor,
                                    std::uint64_t limit) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc{} || number > limit / factor) return std::nullopt;
  return number * factor;
}

/// One part of `text` in the scale's smallest unit, at most `limit`.
Result<std::uint64_t> parse_part(const Scale& scale, std::string_view text, const Part& part,
                                 std::uint64_t limit) {
  if (part.digits.empty()) return no_number(scale, text);
  if (part.unit.empty()) return bare_number(scale, part.digits);
  const auto factor = factor_of(scale.units, part.unit);
  if (!factor) return unknown_unit(scale, part, usual_spelling(scale.aliases, part.unit));
  const auto value = scaled(part.digits, *factor, limit);
  if (!value) return too_large(scale, std::string(part.digits).append(part.unit));
  return *value;
}

template <class Number>
void append_number(std::string& out, Number number, std::string_view unit) {
  if (!out.empty() && out != "-") out += ' ';
  out.append(std::to_string(number)).append(unit);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<Duration::rep>::max());
  auto rest = text;
  take_while(rest, is_blank);
  if (rest.empty()) return no_number(kTime, rest);
  std::uint64_t sum = 0;
  while (!rest.empty()) {
    const auto part = parse_part(kTime, text, take_part(rest), kLimit - sum);
    if (!part) return part.error();
    sum += *part;
  }
  return Duration(static_cast<Duration::rep>(sum));
}

Result<Bytes> parse_bytes(std::string_view text) {
  constexpr auto kLimit = std::numeric_limits<std::uint64_t>::max();
  auto rest = text;
  take_while(rest, is_blank);
  if (rest.empty()) return no_number(kSize, rest);
  const auto part = parse_part(kSize, text, take_part(rest), kLimit);
  if (!part) return part.error();
  if (!rest.empty()) {
    return Error(quoted(text) + " is more than one size: write one, such as \"1536M\"");
  }
  return Bytes{*part};
}

Result<double> parse_percent(std::string_view text) {
  constexpr int kMost = 100'000;
  int percent = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, percent);
  const bool is_percent = parsed.ec == std::errc{} && parsed.ptr + 1 == end && *parsed.ptr == '%';
  if (!is_percent || percent < 0 || percent > kMost) {
    return Error(quoted(text) + " is no share: write a whole number and %, such as \"25%\"");
  }
  return percent / 100.0;
}

std::string format_duration(Duration duration) {
  if (duration == Duration{0}) return "0s";
  std::string out = duration < Duration{0} ? "-" : "";
  // Negation in the unsigned type is defined for the smallest duration too.
  auto left = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration{0}) left = 0 - left;
  for (auto unit = std::next(kTimeUnits.rbegin()); unit != kTimeUnits.rend(); ++unit) {
    if (left >= unit->factor) append_number(out, left / unit->factor, unit->name);
    left %= unit->factor;
  }
  return out;
}

std::string format_bytes(Bytes bytes) {
  constexpr std::array kNames{"kB"sv, "MB"sv, "GB"sv, "TB"sv, "PB"sv, "EB"sv};
  if (bytes.count < 1000) return std::to_string(bytes.count) + " B";
  std::size_t name = 0;
  std::uint64_t tenths = bytes.count / 100 + (bytes.count % 100 >= 50 ? 1 : 0);
  while (tenths >= 9995) {
    tenths = tenths / 1000 + (tenths % 1000 >= 500 ? 1 : 0);
    ++name;
  }
  auto out = std::to_string(tenths >= 100 ? (tenths + 5) / 10 : tenths / 10);
  if (tenths < 100) out.append(".").append(std::to_string(tenths % 10));
  return out.append(" ").append(kNames.at(name));
}

}  // namespace lull
