#include "jobs/slice.hpp"

#include "tests/support/catch.hpp"

#include <functional>

namespace lull {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// A disk, a job that reads it without end, and a foreground that reads at the instants that
/// `reads` says, stepped as the loop would: again after as long as each step says.
class Rig {
 public:
  std::function<bool(Instant)> foreground = [](Instant) { return false; };
  std::function<bool(Instant)> hint = [](Instant) { return false; };
  Bytes foreign{};     ///< that the amounts tell of
  bool exact = false;  ///< at a glance: of each request
  bool known = false;  ///< the foreground's requests, at any time
  bool job_reads = true;
  bool job_writes = false;
  bool others_write = false;
  bool wanted = true;
  bool mixed = false;
  bool recording = false;
  bool flushes = false;     ///< somebody flushes the disk all the time
  Duration flush_every{0};  ///< or, told by `commits`, so often
  bool commits = false;
  Duration drain = milliseconds(4);  ///< until frozen, with nothing of ours under way

  void play(Duration span) {
    for (const Instant end = now_ + span; now_ < end;) {
      const SliceStep next = step(state_, look());
      state_ = next.next;
      ++steps;
      if (next.heard) heard = true;
      if (next.freeze && !frozen_) frozen_at_ = now_;
      frozen_ = next.freeze;
      REQUIRE((next.glance || next.again > Duration(0)));
      pass(std::min(next.again, end - now_));
    }
  }
  [[nodiscard]] double ran(Duration span) const {
    return double(run.count()) / double(span.count());
  }
  [[nodiscard]] Instant now() const { return now_; }
  void forget() {
    run = Duration(0);
    steps = 0;
    disturbed = 0;
  }

  Duration run{0};
  int steps = 0;
  int requests = 0;   ///< of the foreground
  int disturbed = 0;  ///< of those, while the job ran
  bool heard = false;

 private:
  SliceInput look() {
    SliceInput input;
    input.at = now_;
    input.wanted = wanted;
    if (exact && state_.phase == SliceState::Phase::glancing) {
      foreign.count = 4096 * std::uint64_t(requests);
    }
    input.hint = hint(now_);
    input.foreign = foreign;
    const bool still = frozen_ && now_ - frozen_at_ >= drain;
    input.frozen = still;
    input.writing = job_writes || others_write;
    input.written = written_;
    input.mixed = mixed;
    input.recording = recording;
    if (known) input.foreground = std::uint64_t(requests);
    input.commits = commits;
    input.flushes = flushes ? flushes_ : commits_;
    input.reads = reads_;
    input.writes = writes_;
    input.in_flight = still ? 0 : 4;
    return input;
  }
  /// In steps of a millisecond.
  void pass(Duration span) {
    for (const Instant end = now_ + span; now_ < end; now_ += milliseconds(1)) {
      const bool job_runs = !frozen_ || now_ - frozen_at_ < drain;
      if (!frozen_) run += milliseconds(1);
      if (job_runs && job_reads) reads_ += 3;
      ++flushes_;
      if (commits && now_ % flush_every == Duration(0)) ++commits_;
      if (job_writes) writes_ += 2;  // write-back does not stop with the job
      if (job_writes && !frozen_) written_.count += 1'000'000;
      if (others_write) ++writes_;
      if (foreground(now_)) {
        ++requests;
        ++reads_;
        if (job_runs) ++disturbed;
      }
    }
  }

  SliceState state_;
  Instant now_ = seconds(100);
  Instant frozen_at_{0};
  bool frozen_ = false;
  std::uint64_t reads_ = 0;
  std::uint64_t writes_ = 0;
  Bytes written_{};
  std::uint64_t flushes_ = 0;
  std::uint64_t commits_ = 0;
};

bool every(Instant at, Duration period) { return at % period < milliseconds(1); }

TEST_CASE("slice: with nobody else there listening costs less than 1 % of the time") {
  for (const Duration drain :
       {milliseconds(1), milliseconds(2), milliseconds(4), milliseconds(9)}) {
    Rig rig;
    rig.drain = drain;
    rig.play(minutes(1));
    INFO("what is under way takes " << drain.count() << " us");
    CHECK(rig.ran(minutes(1)) > 0.99);
    CHECK(rig.steps <= 30 * 60);
    CHECK_FALSE(rig.heard);
  }
}

TEST_CASE("slice: where the foreground's requests are known nobody stops to listen") {
  Rig rig;
  rig.known = true;
  const Instant from = rig.now() + minutes(1);
  const Instant until = from + seconds(30);
  rig.foreground = [=](Instant at) {
    return at >= from && at < until && every(at, milliseconds(30));
  };
  rig.play(minutes(1) - milliseconds(1));
  CHECK(rig.run == minutes(1) - milliseconds(1));
  CHECK(rig.steps <= 11 * 60);

  rig.forget();
  rig.play(seconds(30));
  CHECK(rig.heard);
  CHECK(rig.ran(seconds(30)) < 0.03);          // the floor
  CHECK(rig.disturbed < 0.04 * rig.requests);  // nor more than it has to

  rig.forget();
  rig.play(seconds(10));
  CHECK(rig.ran(seconds(10)) > 0.98);
}

TEST_CASE("slice: our own records are nobody's requests") {
  Rig rig;
  rig.known = rig.recording = true;
  rig.foreground = [](Instant at) { return every(at, milliseconds(30)); };
  rig.play(seconds(10));
  CHECK_FALSE(rig.heard);
}

TEST_CASE("slice: a foreground that moves little is heard soon, though no other hint tells of it") {
  // Reads that come so rarely that hardly an ear of 8 ms meets one.
  for (const auto start :
       {milliseconds(0), milliseconds(50), milliseconds(130), milliseconds(270)}) {
    Rig rig;
    rig.drain = milliseconds(1);
    rig.exact = true;
    const Instant from = seconds(130) + start;
    rig.foreground = [=](Instant at) { return at >= from && every(at, milliseconds(30)); };
    rig.play(from + milliseconds(500) - rig.now());
    INFO("it begins at " << from.count() << " us");
    CHECK(rig.heard);
  }
}

TEST_CASE("slice: what others moved once makes nobody listen long") {
  Rig rig;
  rig.drain = milliseconds(1);
  rig.play(seconds(15));
  rig.foreign = Bytes{32'768};
  rig.forget();
  rig.play(seconds(10));
  CHECK(rig.ran(seconds(10)) > 0.985);
}

TEST_CASE("slice: what glances told is forgotten where there are none any more") {
  SliceState told;
  told.phase = SliceState::Phase::draining;
  told.since = seconds(100);
  told.growing = 2;
  SliceInput busy;  // others keep the disk so busy that it never comes to rest
  busy.at = told.since + milliseconds(15);
  busy.wanted = busy.frozen = true;
  busy.in_flight = 4;
  const SliceState ear = step(told, busy).next;
  REQUIRE(ear.phase == SliceState::Phase::listening);
  CHECK(ear.growing == 0);
  SliceInput over;
  over.at = told.since;
  CHECK(step(told, over).next.growing == 0);
}

TEST_CASE("slice: a job on a disk that nobody wants any more gets nearly all of it") {
  Rig rig;
  rig.drain = milliseconds(1);
  rig.exact = true;
  const Instant from = seconds(110);
  rig.foreground = [=](Instant at) { return at >= from && at < from + seconds(3); };
  rig.hint = [=](Instant at) { return at >= from && at < from + seconds(4); };
  rig.play(from + seconds(3) - rig.now());
  rig.forget();
  rig.play(seconds(7));
  CHECK(rig.ran(seconds(7)) > 0.95);
}

TEST_CASE("slice: without a run that does I/O nothing is ever frozen") {
  Rig rig;
  rig.wanted = false;
  rig.foreground = [](Instant) { return true; };
  rig.play(minutes(1));
  CHECK(rig.run == Duration(minutes(1)));
}

/// What is left to the job beside a foreground that never stops.
double floor_of(Rig rig) {
  rig.foreground = [](Instant) { return true; };
  rig.play(seconds(3));
  rig.forget();
  rig.play(minutes(2));
  return rig.ran(minutes(2));
}

TEST_CASE("slice: under a foreground that never stops the job keeps a floor of 1 to 3 %") {
  const double left = floor_of({});
  CHECK(left > 0.01);
  CHECK(left < 0.03);
}

TEST_CASE("slice: the floor is as much rarer as the write-back of a slice takes long") {
  Rig rig;
  rig.job_writes = true;
  const double left = floor_of(rig);
  CHECK(left > 0.001);
  CHECK(left < 0.005);
}

TEST_CASE("slice: what others write makes the floor no rarer") {
  Rig rig;
  rig.others_write = true;
  CHECK(floor_of(rig) > 0.01);
}

TEST_CASE("slice: when the last run that was held has ended, nothing is held or heard any more") {
  Rig rig;
  rig.foreground = [](Instant) { return true; };
  rig.play(seconds(3));
  REQUIRE(rig.heard);
  rig.wanted = false;
  rig.play(milliseconds(100));
  rig.forget();
  rig.heard = false;
  rig.play(seconds(10));
  CHECK(rig.run == Duration(seconds(10)));
  CHECK_FALSE(rig.heard);
}

TEST_CASE("slice: a disk that was taken out is nobody's reading") {
  SliceState listening;
  listening.phase = SliceState::Phase::listening;
  listening.since = seconds(100);
  listening.baseline.frozen = true;
  listening.baseline.reads = listening.baseline.writes = listening.baseline.flushes = 1000;
  SliceInput gone;  // and with it what it had counted
  gone.at = listening.since + milliseconds(4);
  gone.wanted = gone.frozen = true;
  CHECK_FALSE(step(listening, gone).heard);
  SliceInput there = gone;
  there.reads = 1001;
  CHECK(step(listening, there).heard);
}

TEST_CASE("slice: a foreground that reads once in 30 ms is left alone nearly all the time") {
  Rig rig;
  rig.foreground = [](Instant at) { return every(at, milliseconds(30)); };
  rig.hint = [](Instant) { return true; };
  rig.play(seconds(2));
  rig.forget();
  rig.requests = 0;
  rig.play(minutes(1));
  CHECK(double(rig.disturbed) / rig.requests < 0.05);
}

TEST_CASE("slice: yields within 150 ms of a hint, and resumes within 150 ms of the last request") {
  Rig rig;
  const Instant from = seconds(130) + milliseconds(17);
  rig.foreground = [=](Instant at) { return at >= from && at < from + seconds(3); };
  rig.hint = [=](Instant at) { return at >= from && at < from + seconds(4); };
  rig.play(from - rig.now());
  rig.forget();
  rig.play(milliseconds(150));
  CHECK(rig.heard);
  rig.play(seconds(3) - milliseconds(150));
  rig.forget();
  rig.play(milliseconds(150));
  CHECK(rig.run > Duration(0));
}

TEST_CASE("slice: harvests over 0.92 of the off time of a foreground 3 s on, 7 s off") {
  Rig rig;
  const auto on = [](Instant at) { return at % seconds(10) < seconds(3); };
  rig.foreground = on;
  rig.play(seconds(20));
  rig.forget();
  rig.play(seconds(100));
  CHECK(rig.ran(seconds(70)) > 0.92);
}

TEST_CASE("slice: steps are at most 80 a second, whatever the foreground does") {
  for (const Duration period : {milliseconds(1), milliseconds(30), milliseconds(70),
                                milliseconds(90), milliseconds(150), milliseconds(400)}) {
    Rig rig;
    rig.foreground = [=](Instant at) { return every(at, period); };
    rig.hint = [](Instant) { return true; };
    rig.play(minutes(1));
    INFO("a request every " << period.count() << " us");
    CHECK(rig.steps <= 80 * 60);
  }
}

TEST_CASE("slice: our own write-back after a freeze is not the foreground") {
  Rig rig;
  rig.job_writes = true;
  rig.play(minutes(1));
  CHECK_FALSE(rig.heard);
  CHECK(rig.ran(minutes(1)) > 0.99);
}

TEST_CASE("slice: a hint that no ear confirms is given up") {
  Rig rig;
  rig.hint = [](Instant) { return true; };
  rig.play(seconds(5));
  rig.forget();
  rig.play(minutes(1));
  CHECK(rig.ran(minutes(1)) > 0.99);
}

TEST_CASE("slice: a new hint is believed although one before it was wrong") {
  Rig rig;
  const Instant from = seconds(108) + milliseconds(500);
  rig.foreground = [=](Instant at) { return at >= from; };
  rig.hint = [=](Instant at) {
    return at < from - milliseconds(200) || at >= from + milliseconds(30);
  };
  rig.play(from - rig.now());
  rig.forget();
  rig.play(milliseconds(400));
  CHECK(rig.heard);
}

TEST_CASE("slice: a hint that was given up is believed again when others have moved more") {
  Rig rig;
  rig.hint = [](Instant) { return true; };
  rig.play(seconds(5));
  const Instant from = rig.now();
  rig.foreground = [=](Instant at) { return at >= from && every(at, milliseconds(20)); };
  rig.foreign = kForeignMatters;
  rig.play(milliseconds(300));
  CHECK(rig.heard);
}

TEST_CASE("slice: durable writes of others beside our own write-back are heard soon") {
  Rig rig;
  rig.job_writes = true;
  rig.play(seconds(15));
  rig.commits = true;
  rig.flush_every = milliseconds(50);
  rig.play(milliseconds(400));
  CHECK(rig.heard);
}

TEST_CASE("slice: jobs that make their own writes durable are soon let alone") {
  Rig rig;
  rig.job_writes = true;
  rig.commits = true;  // and with the job, so do the flushes stand still
  rig.flush_every = minutes(9);
  rig.play(seconds(5));
  rig.forget();
  rig.play(minutes(1));
  CHECK_FALSE(rig.heard);
  CHECK(rig.ran(minutes(1)) > 0.99);
}

TEST_CASE("slice: a hint is news although durable writes have been given up as our own") {
  Rig rig;
  rig.commits = true;
  rig.flush_every = minutes(9);
  rig.play(seconds(5));
  const Instant from = rig.now();
  rig.foreground = [=](Instant at) { return at >= from && every(at, milliseconds(20)); };
  rig.hint = [=](Instant at) { return at >= from; };
  rig.play(milliseconds(300));
  CHECK(rig.heard);
}

TEST_CASE("slice: a run that waits for its own flush is not the foreground") {
  Rig rig;
  rig.flushes = true;
  rig.job_reads = false;
  rig.drain = milliseconds(200);  // longer than it is waited for
  rig.play(minutes(1));
  CHECK_FALSE(rig.heard);
}

TEST_CASE("slice: while runs that are never held do I/O, only a hint tells of others") {
  Rig rig;
  rig.mixed = true;
  rig.foreground = [](Instant) { return true; };  // it may be such a run of ours
  rig.play(seconds(10));
  CHECK_FALSE(rig.heard);
  rig.hint = [](Instant) { return true; };
  rig.play(seconds(1));
  CHECK(rig.heard);
}

TEST_CASE("slice: flushes of lull's own records are nobody's") {
  Rig rig;
  rig.flushes = true;
  rig.recording = true;
  rig.play(seconds(10));
  CHECK_FALSE(rig.heard);
  rig.recording = false;
  rig.play(seconds(3));
  CHECK(rig.heard);
}

}  // namespace
}  // namespace lull
