#include "config/settings.hpp"

#include "config/defaults.hpp"
#include "config/job_sections.hpp"

#include <memory>
#include <utility>

namespace lull::config {
namespace {

constexpr Duration kLeastHistory = std::chrono::hours(1);
constexpr int kMostConcurrent = 1000;

/// What holds while a ceiling cannot be read: no more than an ordinary process.
constexpr Level kStrictCeiling{0, {IoClass::best_effort, 0}};
/// What a ceiling that leaves one of its keys out allows there.
constexpr Level kNoCeiling{-20, {IoClass::realtime, 0}};

std::optional<Level> read_ceiling(const Section& section, const JobContext& context) {
  const auto nice = section.get("nice");
  const auto io = section.get("io");
  if (!section.is_written()) return std::nullopt;
  if (!context.system_instance) {
    section.report().add(section.at(),
                         "[ceiling] is for the system instance, and a user's jobs have the "
                         "kernel's limits already: remove it");
    return std::nullopt;
  }
  auto ceiling = kNoCeiling;
  if (nice) ceiling.nice = read_whole(nice, -20, 19).value_or(kStrictCeiling.nice);
  if (io) ceiling.io = read_io(io, context).value_or(kStrictCeiling.io);
  return ceiling;
}

/// Keeps the defaults' tables for the jobs, once everything else in the document was read.
Defaults take_defaults(toml::table& root) {
  auto* const table = root.get_as<toml::table>("defaults");
  if (table == nullptr) return {};
  return Defaults(std::make_shared<Defaults::Tables>(Defaults::Tables{std::move(*table)}));
}

Settings read_settings(const Section& root, const JobContext& context) {
  Settings settings;
  assign(settings.settle, read_duration(root.get("settle"), Duration{0}));
  assign(settings.max_concurrent, read_whole(root.get("max_concurrent"), 1, kMostConcurrent));
  assign(settings.catch_up_concurrent,
         read_whole(root.get("catch_up_concurrent"), 1, kMostConcurrent));
  assign(settings.history_keep, read_duration(root.get("history_keep"), kLeastHistory));
  settings.foreground = read_foreground(root.table("foreground"));
  settings.ceiling = read_ceiling(root.table("ceiling"), context);
  return settings;
}

}  // namespace

Parsed<Settings> parse_settings(std::string_view text, std::string_view file,
                                const JobContext& context) {
  Report report(file);
  auto document = parse_document(text, report);
  // A default may need another key that each job has: nothing is missing in this file.
  report.expect_parts();
  Settings settings;
  if (document.usable) {
    KnownKeys known(report);
    const Section root(known, "", &document.root, nullptr);
    settings = read_settings(root, context);
    // Read as the part of a job file that they are, for their errors; the jobs read them again.
    read_job(root.table("defaults"), {context, {}, {}});
    known.report_others();
    settings.defaults = take_defaults(document.root);
  }
  settings.complete = document.complete;
  return {std::move(settings), report.take()};
}

}  // namespace lull::config
