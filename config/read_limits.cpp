#include "config/job_sections.hpp"

#include <algorithm>
#include <chrono>

namespace lull::config {
namespace {

constexpr Duration kLeast = std::chrono::milliseconds(1);
constexpr int kMostRetries = 1000;

constexpr std::array kOverlap{Choice<Overlap>{"skip", Overlap::skip},
                              Choice<Overlap>{"queue", Overlap::queue},
                              Choice<Overlap>{"replace", Overlap::replace}};
constexpr std::array kNotifyOn{Choice<NotifyOn>{"failure", NotifyOn::failure},
                               Choice<NotifyOn>{"success", NotifyOn::success},
                               Choice<NotifyOn>{"overdue", NotifyOn::overdue}};

std::vector<NotifyOn> read_on(const Value& value) {
  constexpr std::string_view kExample = R"(["failure"])";
  std::vector<NotifyOn> found;
  if (!value) return found;
  const auto* const list = value.node().as_array();
  if (list == nullptr) {
    value.wrong_type(std::string("a list, such as ").append(kExample));
    return found;
  }
  for (const auto& node : *list) {
    const auto on = read_choice(value.element(node), kNotifyOn);
    if (on && std::find(found.begin(), found.end(), *on) == found.end()) found.push_back(*on);
  }
  return found;
}

bool is_printable(char c) { return c > ' ' && c < 0x7F; }

/// A URL often is a secret, so no message repeats it.
bool is_web_address(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const auto rest = url.substr(scheme.size());
    return !rest.empty() && rest.find_first_of("/?#:@") != 0 &&
           std::all_of(rest.begin(), rest.end(), is_printable);
  }
  return false;
}

std::optional<std::string> read_ping(const Value& value) {
  constexpr std::string_view kExample = R"("https://hc.example/uuid")";
  auto url = read_text(value, kExample);
  if (!url || is_web_address(*url)) return url;
  value.wrong(std::string("is no http or https address: write one such as ").append(kExample));
  return std::nullopt;
}

}  // namespace

Limits read_limits(const Section& section) {
  Limits limits;
  limits.timeout = read_duration(section.get("timeout"), kLeast);
  assign(limits.stop_timeout, read_duration(section.get("stop_timeout"), Duration{0}));
  assign(limits.retries, read_whole(section.get("retries"), 0, kMostRetries));
  assign(limits.retry_delay, read_duration(section.get("retry_delay"), Duration{0}));
  assign(limits.overlap, read_choice(section.get("overlap"), kOverlap));
  assign(limits.locks,
         read_names(section.get("locks"),
                    {is_lock_name, "a lock's name",
                     "up to 64 of a-z, 0-9, ':', '.', '_' and '-', a letter or digit first",
                     R"(["repo:nas"])"}));
  limits.memory = read_bytes(section.get("memory"));
  assign(limits.log_size, read_bytes(section.get("log_size")));
  return limits;
}

NotifySpec read_notify(const Section& section) {
  NotifySpec notify;
  const auto on = section.get("on");
  notify.on = read_on(on);
  const auto overdue_after = section.get("overdue_after");
  notify.overdue_after = read_duration(overdue_after, kLeast);
  const bool overdue =
      std::find(notify.on.begin(), notify.on.end(), NotifyOn::overdue) != notify.on.end();
  if (overdue && !overdue_after) {
    section.report().add_missing(
        on.inherited() ? section.at() : on.at(),
        R"('notify.on' asks for "overdue" and 'overdue_after' is missing: write for example overdue_after = "3d")");
  }
  assign(notify.ping, read_ping(section.get("ping")));
  return notify;
}

}  // namespace lull::config
