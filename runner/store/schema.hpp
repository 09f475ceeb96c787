#pragma once

#include <array>

namespace lull::store {

/// Step N brings a file of version N to version N + 1. Steps are never changed once released: the
/// oldest file stays in tests/fixtures and must load for ever.
inline constexpr std::array kMigrations{R"sql(
  CREATE TABLE jobs (
    name       TEXT PRIMARY KEY,
    first_seen INTEGER NOT NULL,  -- all times: microseconds since 1970 UTC
    considered INTEGER NOT NULL   -- every slot up to here has its row in runs
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    job       TEXT NOT NULL,
    slot      INTEGER NOT NULL,
    trigger   TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    owner     INTEGER NOT NULL,   -- 0 daemon, 1 lull run
    started   INTEGER,
    ended     INTEGER,
    outcome   TEXT,               -- NULL: has not ended
    exit_code INTEGER,
    signal    INTEGER,
    detail    TEXT NOT NULL DEFAULT '',
    paused_us INTEGER NOT NULL DEFAULT 0,
    cpu_us    INTEGER NOT NULL DEFAULT 0,
    read_bytes    INTEGER NOT NULL DEFAULT 0,
    written_bytes INTEGER NOT NULL DEFAULT 0,
    log       TEXT NOT NULL DEFAULT ''
  ) STRICT;
  CREATE INDEX runs_by_job ON runs (job, id);
  CREATE INDEX runs_open ON runs (id) WHERE outcome IS NULL;
  CREATE UNIQUE INDEX runs_slot ON runs (job, slot) WHERE trigger IN ('schedule', 'catch-up');

  CREATE TABLE levels (
    run     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    state   TEXT NOT NULL,
    level   TEXT NOT NULL,
    applied TEXT NOT NULL,        -- JSON object: knob to value, as read back
    reason  TEXT NOT NULL
  ) STRICT;
  CREATE INDEX levels_by_run ON levels (run);
)sql",
                                        R"sql(
  ALTER TABLE jobs ADD COLUMN first_awake INTEGER NOT NULL DEFAULT 0;  -- microseconds, as below
  ALTER TABLE jobs ADD COLUMN considered_awake INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN boot TEXT NOT NULL DEFAULT '';  -- the last one with its @reboot run

  CREATE TABLE awake (           -- one row: how long the machine was awake, over all boots
    boot     TEXT NOT NULL,
    at_start INTEGER NOT NULL,   -- when that boot began
    seen     INTEGER NOT NULL    -- when it was last written
  ) STRICT;
)sql",
                                        R"sql(
  CREATE TABLE pauses (          -- by hand
    job   TEXT PRIMARY KEY,      -- '': all jobs
    since INTEGER NOT NULL,
    until INTEGER                -- NULL: until it is ended by hand
  ) STRICT, WITHOUT ROWID;
)sql"};

}  // namespace lull::store
