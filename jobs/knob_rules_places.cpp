#include "jobs/knob_rules.hpp"

namespace lull::knob_rules {
namespace {

std::string described(const GroupWeight& group) {
  return group.idle ? "is idle" : "weighs " + std::to_string(group.weight);
}

/// What makes the group that holds the jobs lighter, or takes the jobs out of it.
std::string remedy(const Place& place) {
  if (place.jobs.ends_with(".service")) {
    return "as root: `systemctl set-property " + place.jobs +
           " CPUWeight=1 IOWeight=1`; it makes all of this user's services lighter beside " +
           place.name;
  }
  return "have root's lull run the job, in /etc/lull/jobs with `user =`: its lull.slice is at the "
         "top";
}

}  // namespace

Knob beside(const Place& place) {
  const std::string where = place.within.empty() ? "at the top" : "in " + place.within;
  if (is_lull_slice(place.jobs)) {
    return {place.name, Verdict::works,
            place.jobs + " is beside it " + where + " and weighs what its jobs are to get", "", ""};
  }
  const std::string meets = place.jobs + ", which holds the jobs, is beside it " + where + " and " +
                            described(place.jobs_weight);
  if (is_kept_behind(place.jobs_weight)) return {place.name, Verdict::works, meets, "", ""};
  return {place.name, Verdict::no_effect,
          meets + ", where " + place.name + " " + described(place.weight) +
              ": what a job weighs does not count, so it pauses while both want all CPUs",
          remedy(place), ""};
}

}  // namespace lull::knob_rules
