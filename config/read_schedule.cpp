#include "config/job_sections.hpp"

#include <chrono>

namespace lull::config {
namespace {

constexpr std::string_view kAtExample = R"("02:30", or a list of such strings)";
constexpr Duration kLeastPeriod = std::chrono::seconds(1);
constexpr Duration kLeast = std::chrono::milliseconds(1);

constexpr std::array kCatchUp{Choice<CatchUp>{"once", CatchUp::once},
                              Choice<CatchUp>{"skip", CatchUp::skip}};

void add_calendar(const Value& value, std::vector<Calendar>& calendars) {
  const auto text = read_text(value, kAtExample);
  if (!text) return;
  auto calendar = parse_calendar(*text);
  if (!calendar) return value.wrong(calendar.error());
  calendars.push_back(std::move(*calendar));
}

std::vector<Calendar> read_at(const Value& value) {
  std::vector<Calendar> calendars;
  if (!value) return calendars;
  const auto* const list = value.node().as_array();
  if (list == nullptr) {
    add_calendar(value, calendars);
    return calendars;
  }
  if (list->empty()) value.wrong(R"(is an empty list: write for example ["02:30"])");
  for (const auto& node : *list)
    add_calendar(value.element(node), calendars);
  return calendars;
}

/// "6h" or "6h awake".
std::optional<Every> read_every(const Value& value) {
  constexpr std::string_view kAwakeWord = " awake";
  const auto* const string = value ? value.node().as_string() : nullptr;
  const bool awake = string != nullptr && string->get().ends_with(kAwakeWord);
  if (!awake) {
    const auto period = read_duration(value, kLeastPeriod);
    return period ? std::optional(Every{*period, false}) : std::nullopt;
  }
  const std::string_view text = string->get();
  const auto period =
      check_duration(value, text.substr(0, text.size() - kAwakeWord.size()), kLeastPeriod);
  return period ? std::optional(Every{*period, true}) : std::nullopt;
}

std::optional<std::string> read_timezone(const Value& value) {
  auto name = read_line(value, R"("Europe/Berlin")");
  if (!name) return std::nullopt;
  const auto zone = Zone::find(*name);
  if (zone) return name;
  value.wrong(zone.error());
  return std::nullopt;
}

/// Either `at` or `every`; the file's own pushes a default aside.
void read_slots(const Section& section, Schedule& schedule) {
  const bool own = section.own("at") || section.own("every");
  const auto at = own ? section.own("at") : section.get("at");
  const auto every = own ? section.own("every") : section.get("every");
  schedule.at = read_at(at);
  schedule.every = read_every(every);
  if (at && every && !every.inherited()) {
    const auto& second = at.at() < every.at() ? every : at;
    second.wrong(&second == &at ? "stands beside 'every': remove one of the two"
                                : "stands beside 'at': remove one of the two");
  }
  if (!at && !every && section.is_written()) {
    section.report().add_missing(section.at(),
                                 "[schedule] has no 'at' and no 'every': write for "
                                 "example at = \"02:30\", or remove [schedule]");
  }
}

/// Both count from the slot.
void read_deadline(const Section& section, Schedule& schedule) {
  const auto deadline = section.get("deadline");
  schedule.deadline = read_duration(deadline, kLeast);
  if (!schedule.deadline || *schedule.deadline > schedule.jitter) return;
  deadline.wrong("may come before the job is due, which 'jitter' puts off by up to " +
                 format_duration(schedule.jitter) + ": write more than that");
}

}  // namespace

std::optional<Schedule> read_schedule(const Section& section) {
  Schedule schedule;
  read_slots(section, schedule);
  assign(schedule.timezone, read_timezone(section.get("timezone")));
  assign(schedule.jitter, read_duration(section.get("jitter"), Duration{0}));
  assign(schedule.catch_up, read_choice(section.get("catch_up"), kCatchUp));
  read_deadline(section, schedule);
  const bool given = section.is_written() || section.has("at") || section.has("every");
  return given ? std::optional(std::move(schedule)) : std::nullopt;
}

}  // namespace lull::config
