#include "config/job_sections.hpp"

#include <algorithm>

namespace lull::config {
namespace {

constexpr std::array kMode{Choice<PublishMode>{"exclusive", PublishMode::exclusive},
                           Choice<PublishMode>{"replace", PublishMode::replace},
                           Choice<PublishMode>{"exchange", PublishMode::exchange}};
constexpr std::array<std::string_view, 4> kPlaceholders{"slot", "date", "job", "run"};
constexpr std::string_view kRemedy = "write {slot}, {date}, {job} or {run}";

void report_placeholder(const Value& value, std::string_view name) {
  auto message = "has the unknown placeholder " + quoted("{" + std::string(name) + "}") + ": ";
  const auto meant = nearest(name, kPlaceholders);
  value.wrong(meant ? message.append("write {").append(*meant).append("}")
                    : message.append(kRemedy));
}

/// Reports the first brace that does not belong to a placeholder.
bool check_placeholders(const Value& value, std::string_view text) {
  while (true) {
    const auto brace = text.find_first_of("{}");
    if (brace == std::string_view::npos) return true;
    const auto end = text.find_first_of("{}", brace + 1);
    if (text[brace] == '}' || end == std::string_view::npos || text[end] == '{') {
      value.wrong(std::string("has a brace without its counterpart: ").append(kRemedy));
      return false;
    }
    const auto name = text.substr(brace + 1, end - brace - 1);
    if (std::find(kPlaceholders.begin(), kPlaceholders.end(), name) == kPlaceholders.end()) {
      report_placeholder(value, name);
      return false;
    }
    text.remove_prefix(end + 1);
  }
}

/// A path of a result, with placeholders.
std::optional<std::string> read_pattern(const Value& value, const Home& home) {
  auto path = read_path(value, home);
  if (!path || !check_placeholders(value, *path)) return std::nullopt;
  if (!path->ends_with('/')) return path;
  value.wrong("ends with /: write the name that the result itself is to have");
  return std::nullopt;
}

void read_keep(const Value& keep, const Home& home, OutputSpec& output) {
  if (keep && output.mode != PublishMode::exchange) {
    // A default for those who exchange says nothing to those who do not.
    if (!keep.inherited()) {
      keep.wrong(R"(has no effect without mode = "exchange": write that, or remove 'keep')");
    }
    return;
  }
  assign(output.keep, read_pattern(keep, home));
  if (keep && !output.keep.empty() && output.keep == output.publish) {
    keep.wrong("is the same as 'publish': write another path");
  }
}

}  // namespace

std::optional<OutputSpec> read_output(const Section& section, const JobReading& reading) {
  OutputSpec output;
  const auto publish = section.get("publish");
  assign(output.publish, read_pattern(publish, reading.home));
  const auto mode = section.get("mode");
  const auto known_mode = read_choice(mode, kMode);
  assign(output.mode, known_mode);
  const auto keep = section.get("keep");
  if (!mode || known_mode) read_keep(keep, reading.home, output);
  if (!publish && section.is_written()) {
    section.report().add_missing(section.at(),
                                 "[output] has no 'publish': write for example "
                                 "publish = \"/srv/exports/home-{slot}.tar\"");
  }
  const bool given = section.is_written() || publish;
  return given ? std::optional(std::move(output)) : std::nullopt;
}

}  // namespace lull::config
