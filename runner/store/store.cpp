#include "runner/store/store.hpp"

#include "runner/store/schema.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <cerrno>

namespace lull::store {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // another lull writes for milliseconds at a time

std::int64_t number(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint time_of(const SQLite::Column& column) { return TimePoint(Duration(column.getInt64())); }

template <class T>
void bind(SQLite::Statement& statement, int index, const std::optional<T>& value) {
  if (value) {
    statement.bind(index, *value);
  } else {
    statement.bind(index);
  }
}

std::optional<int> optional_int(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getInt());
}

Foreground foreground_of(std::string_view name) {
  for (const Foreground state :
       {Foreground::idle, Foreground::light, Foreground::busy, Foreground::strained}) {
    if (to_string(state) == name) return state;
  }
  return Foreground::light;
}

std::string encode(const Applied& applied) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [knob, value] : applied)
    object[knob] = value;
  return object.dump();
}

Applied decode_applied(const std::string& text) {
  Applied applied;
  const auto object = nlohmann::ordered_json::parse(text);
  for (const auto& [knob, value] : object.items()) {
    applied.emplace_back(knob, value.get<std::string>());
  }
  return applied;
}

constexpr const char* kRunColumns =
    "id, job, slot, trigger, attempt, started, ended, outcome, exit_code, signal, detail, "
    "paused_us, cpu_us, read_bytes, written_bytes, owner, log";

Ending ending_of(SQLite::Statement& row) {
  Ending ending;
  ending.at = time_of(row.getColumn(6));
  ending.outcome = parse_outcome(row.getColumn(7).getString()).value();
  ending.exit_code = optional_int(row.getColumn(8));
  ending.signal = optional_int(row.getColumn(9));
  ending.detail = row.getColumn(10).getString();
  ending.paused = Duration(row.getColumn(11).getInt64());
  ending.usage.cpu = Duration(row.getColumn(12).getInt64());
  ending.usage.read.count = static_cast<std::uint64_t>(row.getColumn(13).getInt64());
  ending.usage.written.count = static_cast<std::uint64_t>(row.getColumn(14).getInt64());
  return ending;
}

OpenRun run_of(SQLite::Statement& row) {
  OpenRun run;
  run.record.id = row.getColumn(0).getInt64();
  run.record.job = row.getColumn(1).getString();
  run.record.slot = time_of(row.getColumn(2));
  run.record.trigger = parse_trigger(row.getColumn(3).getString()).value();
  run.record.attempt = row.getColumn(4).getInt();
  if (!row.getColumn(5).isNull()) run.record.started = time_of(row.getColumn(5));
  if (!row.getColumn(7).isNull()) run.record.ending = ending_of(row);
  run.owner = row.getColumn(15).getInt() == 0 ? Owner::daemon : Owner::command;
  run.log = row.getColumn(16).getString();
  return run;
}

std::string select_runs(const char* rest) {
  return std::string("SELECT ") + kRunColumns + " FROM runs " + rest;
}

}  // namespace

Error current_error() {
  try {
    throw;
  } catch (const SQLite::Exception& problem) {
    return Error("the store: " + std::string(problem.getErrorStr()) + " (" + problem.what() + ")");
  } catch (const std::exception& problem) {
    return Error("the store: " + std::string(problem.what()));
  }
}

Store::Store(std::unique_ptr<SQLite::Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& path) {
  return guarded([&] {
    Store store(std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs));
    store.database_->exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        "PRAGMA cache_size = -512;");
    store.migrate();
    return store;
  });
}

Result<Store> Store::open_for_reading(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0 && errno == ENOENT) return open(":memory:");
  return guarded([&] {
    Store store(std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, kBusyTimeoutMs));
    const int version = store.database_->execAndGet("PRAGMA user_version").getInt();
    if (version != kVersion) {
      throw SQLite::Exception("written by another version of lull: run `lull daemon` once");
    }
    return store;
  });
}

void Store::migrate() {
  SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
  int version = database_->execAndGet("PRAGMA user_version").getInt();
  if (version > kVersion) throw SQLite::Exception("written by a newer version of lull");
  static_assert(kMigrations.size() == kVersion);
  for (; version < kVersion; ++version) {
    database_->exec(kMigrations[static_cast<std::size_t>(version)]);
  }
  database_->exec("PRAGMA user_version = " + std::to_string(kVersion));
  transaction.commit();
}

SQLite::Statement& Store::statement(const char* sql) {
  auto& kept = statements_[sql];
  if (!kept) kept = std::make_unique<SQLite::Statement>(*database_, sql);
  kept->reset();
  kept->clearBindings();
  return *kept;
}

void Store::begin() { database_->exec("BEGIN IMMEDIATE"); }
void Store::commit() { database_->exec("COMMIT"); }
void Store::rollback() { database_->exec("ROLLBACK"); }

std::map<std::string, JobClock> Store::clocks(const std::vector<std::string>& jobs,
                                              const JobClock& fresh) {
  for (const std::string& job : jobs) {
    auto& insert = statement(
        "INSERT OR IGNORE INTO jobs (name, first_seen, considered, first_awake, considered_awake, "
        "boot) VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(1, job);
    insert.bind(2, number(fresh.first_seen.wall));
    insert.bind(3, number(fresh.considered.wall));
    insert.bind(4, fresh.first_seen.awake.count());
    insert.bind(5, fresh.considered.awake.count());
    insert.bind(6, fresh.boot);
    insert.exec();
  }
  std::map<std::string, JobClock> clocks;
  auto& query = statement(
      "SELECT name, first_seen, first_awake, considered, considered_awake, boot FROM jobs");
  const auto clocks_at = [&](int column) {
    return Clocks{time_of(query.getColumn(column)),
                  Duration(query.getColumn(column + 1).getInt64())};
  };
  while (query.executeStep()) {
    clocks.emplace(query.getColumn(0).getString(),
                   JobClock{clocks_at(1), clocks_at(3), query.getColumn(5).getString()});
  }
  return clocks;
}

void Store::set_considered(std::string_view job, const Clocks& until) {
  auto& update = statement(
      "UPDATE jobs SET considered = max(considered, ?), "
      "considered_awake = max(considered_awake, ?) WHERE name = ?");
  update.bind(1, number(until.wall));
  update.bind(2, until.awake.count());
  update.bind(3, std::string(job));
  update.exec();
}

void Store::set_boot(std::string_view job, const std::string& boot) {
  auto& update = statement("UPDATE jobs SET boot = ? WHERE name = ?");
  update.bind(1, boot);
  update.bind(2, std::string(job));
  update.exec();
}

Duration Store::awake_at_start(const std::string& boot, Duration since) {
  Duration start{0};
  auto& query = statement("SELECT boot, at_start, seen FROM awake");
  if (query.executeStep()) {
    start = Duration(query.getColumn(query.getColumn(0).getString() == boot ? 1 : 2).getInt64());
  }
  database_->exec("DELETE FROM awake");
  auto& insert = statement("INSERT INTO awake VALUES (?, ?, ?)");
  insert.bind(1, boot);
  insert.bind(2, start.count());
  insert.bind(3, (start + since).count());
  insert.exec();
  return start;
}

void Store::set_awake(Duration seen) {
  auto& update = statement("UPDATE awake SET seen = max(seen, ?)");
  update.bind(1, seen.count());
  update.exec();
}

HandPauses Store::pauses() {
  HandPauses pauses;
  auto& query = statement("SELECT job, since, until FROM pauses");
  while (query.executeStep()) {
    HandPause pause{time_of(query.getColumn(1)), std::nullopt};
    if (!query.getColumn(2).isNull()) pause.until = time_of(query.getColumn(2));
    pauses.emplace(query.getColumn(0).getString(), pause);
  }
  return pauses;
}

void Store::set_pause(std::string_view job, const HandPause& pause) {
  auto& insert = statement("INSERT OR REPLACE INTO pauses (job, since, until) VALUES (?, ?, ?)");
  insert.bind(1, std::string(job));
  insert.bind(2, number(pause.since));
  if (pause.until) {
    insert.bind(3, number(*pause.until));
  } else {
    insert.bind(3);
  }
  insert.exec();
}

void Store::remove_pause(std::string_view job) {
  auto& remove = statement("DELETE FROM pauses WHERE job = ?");
  remove.bind(1, std::string(job));
  remove.exec();
}

void Store::remove_all_pauses() { statement("DELETE FROM pauses").exec(); }

void Store::remove_ended_pauses(TimePoint now) {
  auto& remove = statement("DELETE FROM pauses WHERE until <= ?");
  remove.bind(1, number(now));
  remove.exec();
}

std::optional<RunId> Store::add_run(const RunRecord& run, Owner owner) {
  auto& insert = statement(
      "INSERT OR IGNORE INTO runs (job, slot, trigger, attempt, owner) VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, run.job);
  insert.bind(2, number(run.slot));
  insert.bind(3, std::string(to_string(run.trigger)));
  insert.bind(4, run.attempt);
  insert.bind(5, owner == Owner::daemon ? 0 : 1);
  if (insert.exec() == 0) return std::nullopt;
  return database_->getLastInsertRowid();
}

void Store::set_trigger(RunId run, Trigger trigger) {
  auto& update = statement("UPDATE runs SET trigger = ? WHERE id = ?");
  update.bind(1, std::string(to_string(trigger)));
  update.bind(2, run);
  update.exec();
}

void Store::set_started(RunId run, TimePoint started, std::string_view log) {
  auto& update = statement("UPDATE runs SET started = ?, log = ? WHERE id = ?");
  update.bind(1, number(started));
  update.bind(2, std::string(log));
  update.bind(3, run);
  update.exec();
}

void Store::add_level(RunId run, const LevelChange& change) {
  auto& insert = statement("INSERT INTO levels VALUES (?, ?, ?, ?, ?, ?)");
  insert.bind(1, run);
  insert.bind(2, number(change.at));
  insert.bind(3, std::string(to_string(change.state)));
  insert.bind(4, change.level);
  insert.bind(5, encode(change.applied));
  insert.bind(6, change.reason);
  insert.exec();
}

void Store::close_run(RunId run, const Ending& ending) {
  auto& update = statement(
      "UPDATE runs SET ended = ?, outcome = ?, exit_code = ?, signal = ?, detail = ?, "
      "paused_us = ?, cpu_us = ?, read_bytes = ?, written_bytes = ? "
      "WHERE id = ? AND outcome IS NULL");
  update.bind(1, number(ending.at));
  update.bind(2, std::string(to_string(ending.outcome)));
  bind(update, 3, ending.exit_code);
  bind(update, 4, ending.signal);
  update.bind(5, ending.detail);
  update.bind(6, ending.paused.count());
  update.bind(7, ending.usage.cpu.count());
  update.bind(8, static_cast<std::int64_t>(ending.usage.read.count));
  update.bind(9, static_cast<std::int64_t>(ending.usage.written.count));
  update.bind(10, run);
  update.exec();
}

std::vector<OpenRun> Store::open_runs() {
  std::vector<OpenRun> runs;
  SQLite::Statement query(*database_, select_runs("WHERE outcome IS NULL ORDER BY id"));
  while (query.executeStep())
    runs.push_back(run_of(query));
  return runs;
}

std::vector<RunRecord> Store::history(std::string_view job, int limit) {
  std::vector<RunRecord> runs;
  SQLite::Statement query(*database_,
                          select_runs(job.empty() ? "WHERE ?1 = '' ORDER BY id DESC LIMIT ?2"
                                                  : "WHERE job = ?1 ORDER BY id DESC LIMIT ?2"));
  query.bind(1, std::string(job));
  query.bind(2, limit > 0 ? limit : -1);
  while (query.executeStep())
    runs.push_back(run_of(query).record);
  for (RunRecord& run : runs)
    run.levels = levels(run.id);
  return runs;
}

std::vector<LevelChange> Store::levels(RunId run) {
  std::vector<LevelChange> changes;
  auto& query = statement(
      "SELECT at, state, level, applied, reason FROM levels WHERE run = ? ORDER BY rowid");
  query.bind(1, run);
  while (query.executeStep()) {
    changes.push_back({time_of(query.getColumn(0)), foreground_of(query.getColumn(1).getString()),
                       query.getColumn(2).getString(),
                       decode_applied(query.getColumn(3).getString()),
                       query.getColumn(4).getString()});
  }
  return changes;
}

std::optional<RunRecord> Store::run(RunId id) {
  SQLite::Statement query(*database_, select_runs("WHERE id = ?"));
  query.bind(1, id);
  if (!query.executeStep()) return std::nullopt;
  RunRecord record = run_of(query).record;
  record.levels = levels(id);
  return record;
}

std::optional<std::string> Store::log_of(RunId run) {
  auto& query = statement("SELECT log FROM runs WHERE id = ? AND log <> ''");
  query.bind(1, run);
  if (!query.executeStep()) return std::nullopt;
  return query.getColumn(0).getString();
}

std::optional<RunRecord> Store::newest_run(std::string_view job) {
  SQLite::Statement query(*database_,
                          select_runs("WHERE job = ? AND log <> '' ORDER BY id DESC LIMIT 1"));
  query.bind(1, std::string(job));
  if (!query.executeStep()) return std::nullopt;
  return run_of(query).record;
}

std::map<std::string, TimePoint> Store::last_successes() {
  return times_by_job("SELECT job, max(ended) FROM runs WHERE outcome = 'success' GROUP BY job");
}

std::map<std::string, TimePoint> Store::last_runs() {
  return times_by_job(
      "SELECT job, max(coalesce(started, slot)) FROM runs"
      " WHERE outcome IS NOT NULL AND outcome <> 'skipped' GROUP BY job");
}

std::map<std::string, TimePoint> Store::times_by_job(const char* sql) {
  std::map<std::string, TimePoint> times;
  auto& query = statement(sql);
  while (query.executeStep())
    times.emplace(query.getColumn(0).getString(), time_of(query.getColumn(1)));
  return times;
}

}  // namespace lull::store
