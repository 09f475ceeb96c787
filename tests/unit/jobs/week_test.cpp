// A laptop's week, on scripted clocks: what is due, what holds it and whose turn it is are asked of
// the functions that the supervisor asks.
#include "jobs/due.hpp"
#include "jobs/gates.hpp"
#include "jobs/rfc3339.hpp"
#include "jobs/spec.hpp"
#include "jobs/turns.hpp"
#include "jobs/wakes.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace lull;
using namespace std::chrono;

constexpr Duration kSettle = minutes(2);

/// Whoever carries the laptop around.
struct Surroundings {
  bool awake = true;
  PowerState power{false, 100};
  NetworkState network{true, false};
  std::set<std::string> mounts{"/mnt/nas"};
  std::optional<TimePoint> last_input;  ///< none: somebody types
};

struct Scene {
  std::string when;  ///< "Mon 08:30", by the clocks of Berlin
  std::string what;
  void (*change)(Surroundings&) = [](Surroundings&) {};
  bool leaves = false;  ///< the last input was at that instant
};

struct Job {
  JobSpec spec;
  Duration takes{0};  ///< of work
  ScheduleState state = {};
  std::optional<InLine> due = {};
  std::vector<Waiting> waiting = {};
  std::optional<Duration> left = {};    ///< of a run that goes on
  Trigger trigger = Trigger::schedule;  ///< of that run
  bool overdue = false;                 ///< it was started past its deadline
  bool paused = false;
};

class Week {
 public:
  Week(std::vector<Job> jobs, TimePoint begin) : jobs_(std::move(jobs)), now_(begin) {
    for (Job& job : jobs_)
      job.state.first_seen = job.state.considered = clocks();
  }

  void play(const std::vector<Scene>& scenes) {
    for (const Scene& scene : scenes) {
      pass_until(time_of(scene.when));
      note("- " + scene.what);
      scene.change(around_);
      if (scene.leaves) around_.last_input = now_;
      look();
    }
  }

  [[nodiscard]] const std::string& timeline() const { return timeline_; }

 private:
  /// The week of 19 October 2026, at the end of which summer time ends.
  [[nodiscard]] TimePoint time_of(const std::string& when) const {
    static const std::map<std::string, int> days_of_month{{"Mon", 19}, {"Tue", 20}, {"Wed", 21},
                                                          {"Thu", 22}, {"Fri", 23}, {"Sat", 24},
                                                          {"Sun", 25}, {"Mon+", 26}};
    const std::size_t blank = when.find(' ');
    const auto day = local_days(year(2026) / 10 / days_of_month.at(when.substr(0, blank)));
    const auto hour = hours(std::stoi(when.substr(blank + 1, 2)));
    return zone_.to_instants(day + hour + minutes(std::stoi(when.substr(blank + 4, 2)))).first;
  }

  void note(const std::string& what) {
    static const char* const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const auto day = floor<days>(zone_.to_civil(now_));
    const auto weekday = std::chrono::weekday(sys_days(day.time_since_epoch()));
    timeline_ += std::string(names[weekday.c_encoding()]) + ' ' +
                 format_local(now_, zone_).substr(11, 5) + ' ' + what + '\n';
  }

  [[nodiscard]] Clocks clocks() const { return {now_, awake_}; }
  [[nodiscard]] Uptime uptime() const { return {now_ - TimePoint(), awake_}; }

  void pass(Duration time) {
    now_ += time;
    if (!around_.awake) return;
    awake_ += time;
    for (Job& job : jobs_) {
      if (job.left && !job.paused) *job.left -= time;
    }
  }

  void pass_until(TimePoint end) {
    while (around_.awake) {
      const auto next = next_instant();
      if (!next || *next > end) break;
      pass(std::max(*next - now_, Duration(0)));
      look();
    }
    pass(end - now_);
  }

  /// When there is something to do if nobody does anything before.
  [[nodiscard]] std::optional<TimePoint> next_instant() const {
    std::optional<TimePoint> next;
    const auto at = [&](std::optional<TimePoint> instant) {
      if (instant && *instant > now_ && (!next || *instant < *next)) next = instant;
    };
    for (const Job& job : jobs_) {
      if (job.spec.schedule) at(next_due(*job.spec.schedule, job.state, clocks(), zone_));
      if (job.left && !job.paused) at(now_ + *job.left);
      if (job.due) at(job.due->deadline);
      for (const Waiting& gate : job.waiting)
        at(gate.until);
    }
    return next;
  }

  /// What the supervisor does when it is woken.
  void look() {
    if (!around_.awake) return;
    for (Job& job : jobs_) {
      take_up(job);
      go_on(job);
    }
    for (Job& job : jobs_)
      judge(job);
    start_next();
  }

  void take_up(Job& job) {
    if (!job.spec.schedule) return;
    const auto due = due_at(*job.spec.schedule, job.state, clocks(), zone_);
    if (!due) return;
    job.state.considered = due->considered;
    if (due->trigger == Trigger::catch_up && job.spec.schedule->catch_up == CatchUp::skip) return;
    if (job.due) return;  // a slot that passes while its job waits is one with the first
    if (job.left) return note(job.spec.name + " skipped, it runs still");
    const auto deadline = job.spec.schedule->deadline;
    job.due = InLine{due->trigger, due->slot,
                     deadline ? std::optional(due->slot + *deadline) : std::nullopt};
    if (due->trigger == Trigger::catch_up) note(job.spec.name + " was missed");
  }

  void go_on(Job& job) {
    if (!job.left) return;
    if (*job.left <= Duration(0)) {
      job.left.reset();
      return note(job.spec.name + " done");
    }
    World world = world_of(job);
    world.overdue = job.overdue;
    const auto lost = lost_gates(job.spec.when, world);
    if (job.spec.when.lost != GateLost::pause || job.paused != lost.empty()) return;
    job.paused = !lost.empty();
    note(job.spec.name + (job.paused ? " paused: " + lost.front().reason : " goes on"));
  }

  void judge(Job& job) {
    if (!job.due) return;
    World world = world_of(job);
    wakes_.look(uptime());
    const TimePoint woke = now_ - wakes_.awake_for(uptime());
    if (settles(job.due->trigger, job.due->slot, woke)) world.settled = woke + kSettle;
    world.overdue = job.due->deadline && *job.due->deadline <= now_;
    auto waiting = shut_gates(job.spec.when, world);
    const bool other = !waiting.empty() &&
                       (job.waiting.empty() || waiting.front().gate != job.waiting.front().gate);
    job.waiting = std::move(waiting);
    if (other) note(job.spec.name + " waits: " + job.waiting.front().reason);
  }

  [[nodiscard]] World world_of(const Job& job) const {
    World world;
    world.now = now_;
    world.zone = zone_;
    world.power = around_.power;
    world.network = around_.network;
    world.user_away = around_.last_input ? now_ - *around_.last_input : Duration(0);
    const auto mount = job.spec.when.mounted;
    world.mounted = mount && around_.mounts.contains(std::get<MountPoint>(*mount).path);
    return world;
  }

  void start_next() {
    for (;;) {
      Places taken;
      for (const Job& job : jobs_) {
        if (!job.left) continue;
        ++taken.all;
        if (job.trigger == Trigger::catch_up) ++taken.catch_ups;
      }
      Job* next = nullptr;
      for (Job& job : jobs_) {
        if (!job.due || !job.waiting.empty() || job.left) continue;
        if (!has_place(job.due->trigger, taken, {4, 1})) continue;
        if (next == nullptr || goes_before(*job.due, *next->due)) next = &job;
      }
      if (next == nullptr) return;
      start(*next);
    }
  }

  void start(Job& job) {
    note(job.spec.name + (job.due->deadline && *job.due->deadline <= now_
                              ? " starts, for it is overdue"
                              : " starts"));
    job.overdue = job.due->deadline && *job.due->deadline <= now_;
    job.trigger = job.due->trigger;
    job.left = job.takes;
    job.due.reset();
  }

  Zone zone_ = Zone::find("Europe/Berlin").value();
  std::vector<Job> jobs_;
  Surroundings around_;
  TimePoint now_;
  Duration awake_{0};
  Wakes wakes_{uptime()};
  std::string timeline_;
};

JobSpec job_at(const std::string& name, const std::string& at) {
  JobSpec spec;
  spec.name = name;
  spec.schedule.emplace();
  spec.schedule->at = {parse_calendar(at).value()};
  return spec;
}

std::vector<Job> jobs_of_ana() {
  JobSpec backup = job_at("backup", "02:30");
  backup.schedule->deadline = hours(20);
  backup.when.power = PowerSource::ac;
  backup.when.away = minutes(3);
  backup.when.mounted = MountPoint{"/mnt/nas"};
  backup.when.lost = GateLost::pause;
  JobSpec index = job_at("index", "12:00");
  index.when.away = minutes(10);
  JobSpec photos = job_at("photos", "Fri 20:00");
  photos.when.network = NetworkNeed::unmetered;
  JobSpec news = job_at("news", "Mon..Fri 07:00");
  news.schedule->catch_up = CatchUp::skip;
  return {{backup, minutes(40)}, {index, minutes(15)}, {photos, hours(2)}, {news, minutes(1)}};
}

void closes_the_lid(Surroundings& at) { at.awake = false; }
void types(Surroundings& at) { at.last_input.reset(); }
void plugs_in(Surroundings& at) { at.power.on_battery = false; }
void unplugs(Surroundings& at) { at.power = {true, 80}; }
void leaves_home(Surroundings& at) {
  unplugs(at);
  at.network.up = false;
  at.mounts.clear();
}
void comes_home(Surroundings& at) {
  types(at);
  at.awake = true;
  at.network = {true, false};
  at.mounts = {"/mnt/nas"};
}
void works_elsewhere(Surroundings& at) {
  types(at);
  at.awake = true;
  at.network = {true, true};
}
void has_wifi(Surroundings& at) { at.network = {true, false}; }
void has_a_phone(Surroundings& at) { at.network = {true, true}; }
void stays(Surroundings& /*at*/) {}

std::vector<Scene> week_of_ana() {
  return {
      {"Mon 01:00", "nobody at the desk", stays, true},
      {"Mon 08:00", "Ana types", types},
      {"Mon 08:30", "unplugged", leaves_home},
      {"Mon 08:31", "asleep", closes_the_lid},
      {"Mon 09:30", "at work, on battery", works_elsewhere},
      {"Mon 09:40", "plugged in", plugs_in},
      {"Mon 12:20", "Ana is at lunch", stays, true},
      {"Mon 13:00", "Ana types", types},
      {"Mon 18:00", "asleep", closes_the_lid},
      {"Mon 19:00", "at home", comes_home},
      {"Mon 23:00", "nobody at the desk", stays, true},
      {"Tue 02:45", "a power cut", unplugs},
      {"Tue 03:00", "mains are back", plugs_in},
      {"Tue 07:30", "Ana travels", leaves_home},
      {"Tue 07:31", "asleep", closes_the_lid},
      {"Wed 10:00", "at a customer's, on battery", works_elsewhere},
      {"Wed 13:00", "nobody at the desk", stays, true},
      {"Wed 14:00", "asleep", closes_the_lid},
      {"Wed 19:00", "at home", comes_home},
      {"Wed 19:30", "plugged in", plugs_in},
      {"Thu 00:30", "asleep", closes_the_lid},
      {"Thu 06:59", "at home", comes_home},
      {"Thu 07:30", "nobody at the desk", stays, true},
      {"Fri 19:00", "Ana types, the phone for a network",
       [](Surroundings& at) {
         types(at);
         has_a_phone(at);
       }},
      {"Fri 21:00", "wifi", has_wifi},
      {"Fri 22:00", "asleep", closes_the_lid},
      {"Sat 14:00", "at home", comes_home},
      {"Sat 15:30", "nobody at the desk", stays, true},
      {"Mon+ 00:00", "the end"},
  };
}

}  // namespace

TEST_CASE("week: a laptop's reads as its user would want it") {
  Week week(jobs_of_ana(), sys_days(year(2026) / 10 / 18) + hours(22));
  week.play(week_of_ana());
  CHECK(week.timeline() == R"(Mon 01:00 - nobody at the desk
Mon 02:30 backup starts
Mon 03:10 backup done
Mon 07:00 news starts
Mon 07:01 news done
Mon 08:00 - Ana types
Mon 08:30 - unplugged
Mon 08:31 - asleep
Mon 09:30 - at work, on battery
Mon 09:40 - plugged in
Mon 12:00 index waits: last input 0s ago, wanted 10min
Mon 12:20 - Ana is at lunch
Mon 12:30 index starts
Mon 12:45 index done
Mon 13:00 - Ana types
Mon 18:00 - asleep
Mon 19:00 - at home
Mon 23:00 - nobody at the desk
Tue 02:30 backup starts
Tue 02:45 - a power cut
Tue 02:45 backup paused: on battery, 80 % left
Tue 03:00 - mains are back
Tue 03:00 backup goes on
Tue 03:25 backup done
Tue 07:00 news starts
Tue 07:01 news done
Tue 07:30 - Ana travels
Tue 07:31 - asleep
Wed 10:00 - at a customer's, on battery
Wed 10:00 backup was missed
Wed 10:00 index was missed
Wed 10:00 backup waits: the machine was started or resumed just now
Wed 10:00 index waits: the machine was started or resumed just now
Wed 10:02 backup waits: on battery, 80 % left
Wed 10:02 index waits: last input 0s ago, wanted 10min
Wed 13:00 - nobody at the desk
Wed 13:10 index starts
Wed 13:25 index done
Wed 14:00 - asleep
Wed 19:00 - at home
Wed 19:00 backup waits: the machine was started or resumed just now
Wed 19:02 backup waits: on battery, 80 % left
Wed 19:30 - plugged in
Wed 19:30 backup waits: last input 0s ago, wanted 3min
Wed 22:30 backup starts, for it is overdue
Wed 23:10 backup done
Thu 00:30 - asleep
Thu 06:59 - at home
Thu 06:59 backup was missed
Thu 06:59 backup waits: the machine was started or resumed just now
Thu 07:00 news starts
Thu 07:01 news done
Thu 07:01 backup waits: last input 0s ago, wanted 3min
Thu 07:30 - nobody at the desk
Thu 07:33 backup starts
Thu 08:13 backup done
Thu 12:00 index starts
Thu 12:15 index done
Fri 02:30 backup starts
Fri 03:10 backup done
Fri 07:00 news starts
Fri 07:01 news done
Fri 12:00 index starts
Fri 12:15 index done
Fri 19:00 - Ana types, the phone for a network
Fri 20:00 photos waits: the connection is metered
Fri 21:00 - wifi
Fri 21:00 photos starts
Fri 22:00 - asleep
Sat 14:00 - at home
Sat 14:00 backup was missed
Sat 14:00 index was missed
Sat 14:00 backup waits: the machine was started or resumed just now
Sat 14:00 index waits: the machine was started or resumed just now
Sat 14:02 backup waits: last input 0s ago, wanted 3min
Sat 14:02 index waits: last input 0s ago, wanted 10min
Sat 15:00 photos done
Sat 15:30 - nobody at the desk
Sat 15:33 backup starts
Sat 16:13 backup done
Sat 16:13 index starts
Sat 16:28 index done
Sun 02:30 backup starts
Sun 02:10 backup done
Sun 12:00 index starts
Sun 12:15 index done
Mon 00:00 - the end
)");
}
