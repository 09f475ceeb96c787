#include "config/parse_job.hpp"

#include "config/defaults.hpp"
#include "config/job_sections.hpp"

namespace lull::config {

JobSpec read_job(const Section& root, JobReading reading) {
  JobSpec spec;
  spec.name = reading.job;
  read_top(root, reading, spec);
  spec.schedule = read_schedule(root.table("schedule"));
  spec.when = read_when(root.table("when"), reading);
  spec.priority = read_priority(root.table("priority"), reading.context);
  spec.limits = read_limits(root.table("limits"));
  spec.output = read_output(root.table("output"), reading);
  spec.notify = read_notify(root.table("notify"));
  return spec;
}

Parsed<JobSpec> parse_job(std::string_view text, std::string_view file, std::string_view name,
                          const JobContext& context, const Defaults& defaults) {
  Parsed<JobSpec> parsed;
  Report report(file);
  const auto document = parse_document(text, report);
  if (document.usable) {
    KnownKeys known(report);
    const auto* const tables = defaults.tables();
    const Section root(known, "", &document.root, tables == nullptr ? nullptr : &tables->root);
    parsed.value = read_job(root, {context, name, {}});
    known.report_others();
  }
  parsed.diagnostics = report.take();
  if (!parsed.diagnostics.empty()) parsed.value.reset();
  return parsed;
}

Position place_of(std::string_view text, std::string_view table, std::string_view key) {
  Report ignored("");
  const Document document = parse_document(text, ignored);
  const toml::node* const node = document.root[table][key].node();
  return node == nullptr ? Position() : position(node->source());
}

}  // namespace lull::config
