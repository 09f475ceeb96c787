#include "runner/supervisor/protocol.hpp"

#include "jobs/rfc3339.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace lull::supervisor {
namespace {

constexpr std::array<std::pair<std::string_view, Verb>, 7> kVerbs{{
    {"status", Verb::status},
    {"why", Verb::why},
    {"start", Verb::start},
    {"stop", Verb::stop},
    {"pause", Verb::pause},
    {"resume", Verb::resume},
    {"reload", Verb::reload},
}};

}  // namespace

std::string encode(const Request& request) {
  nlohmann::ordered_json object{{"protocol", kProtocol}};
  for (const auto& [name, verb] : kVerbs) {
    if (verb == request.verb) object["command"] = name;
  }
  if (!request.job.empty()) object["job"] = request.job;
  if (request.wait) object["wait"] = true;
  if (request.until) object["until"] = format_rfc3339(*request.until, Zone::utc());
  return object.dump() + "\n";
}

Result<Request> parse_request(std::string_view line) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) return Error("a request is one JSON object on a line");
  if (!object.contains("protocol") || object["protocol"] != kProtocol) {
    return Error("this supervisor speaks protocol " + std::to_string(kProtocol) +
                 ": restart `lull daemon` after an upgrade");
  }
  Request request;
  const auto command = object.find("command");
  if (command == object.end() || !command->is_string()) return Error("\"command\" is missing");
  bool known = false;
  for (const auto& [name, verb] : kVerbs) {
    if (*command != name) continue;
    request.verb = verb;
    known = true;
  }
  if (!known) return Error("unknown command " + command->dump());
  if (const auto job = object.find("job"); job != object.end()) {
    if (!job->is_string()) return Error("\"job\" is not a string");
    request.job = job->get<std::string>();
  }
  if (const auto wait = object.find("wait"); wait != object.end()) {
    if (!wait->is_boolean()) return Error("\"wait\" is not true or false");
    request.wait = wait->get<bool>();
  }
  if (const auto until = object.find("until"); until != object.end()) {
    if (!until->is_string()) return Error("\"until\" is not a string");
    const auto time = parse_rfc3339(until->get<std::string>());
    if (!time) return time.error().within("\"until\"");
    request.until = *time;
  }
  return request;
}

}  // namespace lull::supervisor
