// The store on a real file: what is durable when, in which order, and of which version.
#include "runner/store/schema.hpp"
#include "runner/store/store_thread.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/deadline.hpp"
#include "tests/support/temp_folder.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>
#include <string>

using namespace lull;
using namespace lull::tests;
using store::StoreThread;
using Urgency = store::StoreThread::Urgency;

namespace {

/// A store thread whose answers are called where they are posted, each noted by a letter.
struct Notebook {
  TempFolder folder;
  std::mutex mutex;
  std::string done;
  int posts = 0;
  std::optional<StoreThread> thread;

  Notebook() {
    thread.emplace(store::Store::open(folder.path("lull.db")).value(),
                   [this](const std::function<void()>& answers) {
                     const std::lock_guard lock(mutex);
                     ++posts;
                     answers();
                   });
  }

  void submit(char letter, Urgency urgency) {
    thread->submit(
        [letter](store::Store& store) {
          RunRecord run;
          run.job = std::string(1, letter);
          run.trigger = Trigger::manual;
          store.add_run(run, store::Owner::daemon);
        },
        [this, letter](const auto& error) { done += error ? '!' : letter; }, urgency);
  }

  std::string done_now() {
    const std::lock_guard lock(mutex);
    return done;
  }

  [[nodiscard]] std::string jobs_on_disk() const {
    auto store = store::Store::open_for_reading(folder.path("lull.db")).value();
    std::string jobs;
    for (const RunRecord& run : store.history("", 0))
      jobs.insert(0, run.job);
    return jobs;
  }
};

}  // namespace

TEST_CASE("store thread: what nothing waits for is committed all the same, in its order") {
  Notebook notes;
  for (const char letter : {'a', 'b', 'c'})
    notes.submit(letter, Urgency::soon);
  CHECK(eventually([&] { return notes.done_now() == "abc"; }));
  CHECK(notes.jobs_on_disk() == "abc");
}

TEST_CASE("store thread: an urgent change takes those before it along in one commit") {
  Notebook notes;
  {
    const std::lock_guard hold(notes.mutex);  // the thread waits with its first answer
    notes.submit('a', Urgency::now);
    CHECK(eventually([&] { return notes.jobs_on_disk() == "a"; }));
    notes.submit('b', Urgency::soon);
    notes.submit('c', Urgency::soon);
    notes.submit('d', Urgency::now);
  }
  CHECK(eventually([&] { return notes.done_now() == "abcd"; }));
  CHECK(notes.posts == 2);
}

TEST_CASE("store thread: what was submitted is on disk when the thread has ended") {
  Notebook notes;
  notes.submit('a', Urgency::soon);
  notes.thread.reset();
  CHECK(notes.jobs_on_disk() == "a");
}

TEST_CASE("store: a file of the first version is brought to this one, and loses nothing") {
  const TempFolder folder;
  const std::string path = folder.path("lull.db");
  {
    SQLite::Database old(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(store::kMigrations.front());
    old.exec("PRAGMA user_version = 1");
    old.exec("INSERT INTO jobs VALUES ('backup', 1000, 2000)");
    old.exec(
        "INSERT INTO runs (job, slot, trigger, attempt, owner) VALUES ('backup', 2000, 'schedule', "
        "1, 0)");
  }
  CHECK(store::Store::open_for_reading(path).has_error());
  auto store = store::Store::open(path).value();
  const Clocks first_seen{TimePoint(std::chrono::microseconds(1000))};
  const Clocks considered{TimePoint(std::chrono::microseconds(2000))};
  const store::JobClock fresh{considered, considered, "this boot"};
  CHECK(store.clocks({"backup", "sync"}, fresh) ==
        std::map<std::string, store::JobClock>{{"backup", {first_seen, considered, ""}},
                                               {"sync", fresh}});
  store.set_boot("backup", "this boot");
  CHECK(store.clocks({}, fresh).at("backup").boot == "this boot");
  CHECK(store.history("backup", 0).size() == 1);
}

TEST_CASE("store: a file of the second version is brought to this one, and nothing is paused") {
  const TempFolder folder;
  const std::string path = folder.path("lull.db");
  {
    SQLite::Database old(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(store::kMigrations.at(0));
    old.exec(store::kMigrations.at(1));
    old.exec("PRAGMA user_version = 2");
    old.exec("INSERT INTO jobs VALUES ('backup', 1000, 2000, 3, 4, 'a boot')");
  }
  auto store = store::Store::open(path).value();
  CHECK(store.pauses().empty());
  CHECK(store.clocks({}, {}).at("backup").boot == "a boot");
}

TEST_CASE("store: a pause is there after a restart, until it is replaced, removed or has ended") {
  const TempFolder folder;
  const std::string path = folder.path("lull.db");
  const auto at = [](int second) { return TimePoint(std::chrono::seconds(second)); };
  const HandPause endless{at(1), std::nullopt};
  const HandPause brief{at(2), at(10)};
  {
    auto store = store::Store::open(path).value();
    store.set_pause("backup", brief);
    store.set_pause("backup", endless);
    store.set_pause("sync", brief);
    store.set_pause(kAllJobs, {at(3), at(20)});
  }
  auto store = store::Store::open(path).value();
  CHECK(store.pauses() ==
        HandPauses{{"backup", endless}, {"sync", brief}, {kAllJobs, {at(3), at(20)}}});
  store.remove_ended_pauses(at(9));
  CHECK(store.pauses().size() == 3);
  store.remove_ended_pauses(at(10));
  CHECK(store.pauses() == HandPauses{{"backup", endless}, {kAllJobs, {at(3), at(20)}}});
  store.remove_pause("backup");
  CHECK(store.pauses().size() == 1);
  store.remove_all_pauses();
  CHECK(store.pauses().empty());
}

TEST_CASE("store: awake time goes on from boot to boot") {
  using std::chrono::seconds;
  const TempFolder folder;
  auto store = store::Store::open(folder.path("lull.db")).value();
  CHECK(store.awake_at_start("first", seconds(40)) == seconds(0));
  store.set_awake(seconds(100));
  CHECK(store.awake_at_start("first", seconds(120)) == seconds(0));  // a restart of lull
  CHECK(store.awake_at_start("second", seconds(5)) == seconds(120));
  store.set_awake(seconds(130));
  CHECK(store.awake_at_start("second", seconds(11)) == seconds(120));
  CHECK(store.awake_at_start("third", seconds(1)) == seconds(131));
}
