#include "tests/support/gated_job.hpp"

#include "tests/support/deadline.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <utility>

namespace lull::tests {

using nlohmann::json;

SystemBus::SystemBus() { ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_.address().c_str(), 1); }

SystemBus::~SystemBus() { ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }

GatedJob::GatedJob(const std::string& when, std::string what) : what_(std::move(what)) {
  instance_.settings("settle = \"0s\"\n");
  define(when);
  instance_.was_off({"backup"}, std::chrono::minutes(90));
  instance_.start_daemon();
}

void GatedJob::replace_supervisor() {
  instance_.end_daemon(SIGKILL);
  instance_.start_daemon();
}

void GatedJob::define(const std::string& when) const {
  instance_.job("backup", what_ + "[schedule]\nevery = \"1h\"\n[when]\n" + when);
}

std::string GatedJob::gate() const {
  const json waiting = instance_.status("backup")["waiting"];
  if (waiting.empty()) return "";
  return waiting[0]["gate"].get<std::string>() + ": " + waiting[0]["reason"].get<std::string>();
}

bool GatedJob::waits_for(const std::string& text) const {
  return eventually([&] { return gate().find(text) != std::string::npos; });
}

bool GatedJob::is(const std::string& state) const {
  return eventually([&] { return instance_.status("backup")["state"] == state; });
}

std::string GatedJob::reason_of_level() const {
  const json runs = instance_.history("backup");
  if (runs.empty() || runs[0]["levels"].empty()) return "";
  return runs[0]["levels"].back()["reason"];
}

bool GatedJob::has_run(const std::string& outcome) const {
  return eventually([&] {
    const json runs = instance_.history("backup");
    return runs.size() == 1 && runs[0]["outcome"] == outcome;
  });
}

bool GatedJob::sleeps() {
  return eventually([&] {
    const long before = times_asleep();
    std::this_thread::sleep_for(std::chrono::seconds(7));
    return times_asleep() == before;
  });
}

long GatedJob::times_asleep() {
  std::ifstream status("/proc/" + std::to_string(instance_.daemon().pid()) + "/status");
  const std::string key = "voluntary_ctxt_switches:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::stol(line.substr(key.size()));
  }
  return -1;
}

}  // namespace lull::tests
