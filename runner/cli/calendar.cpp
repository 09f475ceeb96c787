#include "runner/cli/calendar.hpp"

#include "jobs/calendar.hpp"
#include "jobs/rfc3339.hpp"
#include "runner/cli/instance.hpp"
#include "runner/os/machine.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace lull::cli {
namespace {

/// From when and where slots are looked for, and how many.
struct Question {
  TimePoint from;
  Zone zone;
  int count = 0;
};

Result<Question> question_of(const CalendarOptions& options) {
  Question question{os::now(), os::machine_zone(), options.count};
  if (!options.timezone.empty()) {
    const auto zone = Zone::find(options.timezone);
    if (!zone) return zone.error();
    question.zone = *zone;
  }
  if (!options.from.empty()) {
    const auto from = parse_rfc3339(options.from);
    if (!from) return from.error().within("--from");
    question.from = *from;
  }
  return question;
}

/// The expression's own, else the one that was asked for.
const Zone& zone_of(const Calendar& calendar, const Question& question) {
  return calendar.zone ? *calendar.zone : question.zone;
}

std::vector<TimePoint> slots_of(const Calendar& calendar, const Question& question) {
  // Of what `~` leaves open each job has its own; this is the machine's.
  const Calendar drawn = draw(calendar, os::machine_id(), "");
  std::vector<TimePoint> slots;
  auto slot = next(drawn, question.from, question.zone);
  for (int i = 0; slot && i < question.count; ++i) {
    slots.push_back(*slot);
    slot = next(drawn, *slot, question.zone);
  }
  return slots;
}

/// How far ahead, to three digits or so.
std::string ahead(Duration distance) {
  using namespace std::chrono;
  if (distance >= days(2)) return format_duration(floor<hours>(distance));
  if (distance >= hours(2)) return format_duration(floor<minutes>(distance));
  return format_duration(distance < seconds(10) ? distance : floor<seconds>(distance));
}

/// What the slots alone do not tell.
const char* remark(const Calendar& calendar, bool comes_again) {
  if (calendar.at_boot) return "once after each boot";
  if (!comes_again) return "never again";
  return calendar.draws.empty() ? nullptr : "an example: each job has its own";
}

void print(const Calendar& calendar, const std::vector<TimePoint>& slots,
           const Question& question) {
  const Zone& zone = zone_of(calendar, question);
  std::printf("%s\n", to_string(calendar).c_str());
  for (const TimePoint slot : slots) {
    std::printf("  %s  in %s\n", format_rfc3339(slot, zone).c_str(),
                ahead(slot - question.from).c_str());
  }
  const bool comes_again = !slots.empty() || question.count == 0;
  if (const char* text = remark(calendar, comes_again)) std::printf("  %s\n", text);
}

void print_json(const Calendar& calendar, const std::vector<TimePoint>& slots,
                const Question& question) {
  const Zone& zone = zone_of(calendar, question);
  nlohmann::ordered_json answer{{"normalized", to_string(calendar)}};
  answer["next"] = nlohmann::ordered_json::array();
  for (const TimePoint slot : slots)
    answer["next"].push_back(format_rfc3339(slot, zone));
  std::printf("%s\n", answer.dump().c_str());
}

}  // namespace

int run_calendar(const CalendarOptions& options) {
  const auto question = question_of(options);
  if (!question) {
    complain(question.error().what());
    return kUsage;
  }
  int exit_code = kDone;
  for (const std::string& expression : options.expressions) {
    const auto calendar = parse_calendar(expression);
    if (!calendar) {
      complain(calendar.error().within("\"" + expression + "\"").what());
      exit_code = kUsage;
      continue;
    }
    const auto slots = slots_of(*calendar, *question);
    (options.json ? print_json : print)(*calendar, slots, *question);
  }
  return exit_code;
}

}  // namespace lull::cli
