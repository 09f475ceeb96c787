#include "runner/cli/doctor_places.hpp"

#include "runner/os/cgroups.hpp"
#include "runner/os/experiment.hpp"
#include "runner/supervisor/scopes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <unistd.h>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace lull::cli {
namespace {

namespace asio = boost::asio;

/// Nobody is held back more.
constexpr Level kHeldBack{kIdleNice, {IoClass::idle, 0}};

desktop::Scope scope_in(const std::string& slice, const std::string& role, pid_t process) {
  const std::string name = "lull-doctor-" + role + "." + std::to_string(process) + ".scope";
  return {name,
          {{"Slice", slice},
           {"Description", "a trial of lull doctor's"},
           {"CollectMode", "inactive-or-failed"}},
          process,
          ""};
}

/// Puts one spinner where jobs are, and one where a foreground is.
class Trials {
 public:
  explicit Trials(const std::string& socket) : manager_(loop_.get_executor(), socket) {}

  /// `slice`: of the foreground; empty: it stays where we are.
  Result<SharedCpu> try_out(const std::string& slice, std::chrono::milliseconds time) {
    const auto place = [&](pid_t held_back, pid_t plain) -> Result<void> {
      auto scope = scope_in("lull.slice", "job", held_back);
      const auto weights = supervisor::weights_of(kHeldBack);
      scope.properties.insert(scope.properties.end(), weights.begin(), weights.end());
      auto put = wait(supervisor::put_in_scope(manager_, std::move(scope), kHeldBack));
      if (!put || slice.empty()) return put;
      return wait(manager_.start_scope(scope_in(slice, "foreground", plain)));
    };
    return os::try_out_between(place, time);
  }

 private:
  Result<void> wait(asio::awaitable<Result<void>> work) {
    std::optional<Result<void>> result;
    asio::co_spawn(loop_, std::move(work), [&](const std::exception_ptr& thrown, Result<void> got) {
      result = thrown ? Error("the service manager could not be asked") : std::move(got);
    });
    loop_.restart();
    while (!result && loop_.run_one() > 0) {
    }
    return result ? *result : Error("the service manager does not answer");
  }

  asio::io_context loop_;
  desktop::ServiceManager manager_;
};

/// The slice to put a spinner in that is to be in the place; "" where it is there already, none
/// where we may not.
std::optional<std::string> slice_of(const Place& place, const MachineFacts& facts) {
  const auto own = os::own_unified_group();
  if (own && (*own + "/").starts_with(place.folder + "/")) return "";
  const bool of_our_manager = place.folder == facts.v2->folder + "/" + place.name;
  if (of_our_manager && place.name.ends_with(".slice")) return place.name;
  return std::nullopt;
}

}  // namespace

std::vector<Knob> examine_places(const MachineFacts& facts, bool experiment) {
  constexpr std::chrono::milliseconds kTime{200};
  constexpr std::chrono::seconds kLonger{1};
  std::vector<Knob> places = diagnose_places(facts);
  const auto manager = experiment ? supervisor::scope_manager() : std::nullopt;
  if (!manager) return places;
  Trials trials(manager->socket);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto slice = slice_of(facts.places[i], facts);
    if (!slice) continue;
    auto measured = trials.try_out(*slice, kTime);
    if (measured && contradicts(*measured, places[i])) measured = trials.try_out(*slice, kLonger);
    if (measured) {
      confirm(places[i], *measured);
    } else {
      refute(places[i], measured.error());
    }
  }
  return places;
}

}  // namespace lull::cli
