-- Which hosts were there in an interval, booked or not, how well their CPU time is known, and
-- when an interval is read a second time for data that came late. Times are Unix seconds, UTC.

-- 1: the growth of counters between the edges of the interval; 0: what the queries gave; NULL:
-- an older program has stored it, or the queries are not known.
ALTER TABLE usage_interval ADD COLUMN growth INTEGER;
-- How many hosts are not exact; NULL: nothing is known of hosts.
ALTER TABLE usage_interval ADD COLUMN doubts INTEGER;
-- 1: every host was there at both ends, so that a second reading finds no more of it.
ALTER TABLE usage_interval ADD COLUMN final INTEGER;
-- By mode that is neither busy, idle nor other, its share of all CPU time, as JSON; NULL: none.
ALTER TABLE usage_interval ADD COLUMN unlisted TEXT;
-- Not read a second time before; NULL: not again. Unlike retry_at, it does not make facts
-- doubtful: the interval was answered.
ALTER TABLE usage_interval ADD COLUMN reread_at INTEGER;
CREATE INDEX idx_usage_interval_reread ON usage_interval(start) WHERE reread_at IS NOT NULL;

CREATE TABLE interval_hosts (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  hosts      INTEGER NOT NULL,
  cores      INTEGER NOT NULL,  -- 0: not known
  PRIMARY KEY (start, project_id)
) WITHOUT ROWID;

-- How many hosts are not exact, and why.
CREATE TABLE interval_doubts (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  state      TEXT    NOT NULL CHECK (state IN ('interpolated', 'refused')),
  reason     TEXT    NOT NULL,
  hosts      INTEGER NOT NULL,
  PRIMARY KEY (start, project_id, state, reason)
) WITHOUT ROWID;

-- Which hosts these are; of very many, the first. Deleted with the per-key rows.
CREATE TABLE interval_doubt (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  host       TEXT    NOT NULL,
  machine    TEXT    NOT NULL,
  cores      INTEGER NOT NULL,  -- 0: not known
  state      TEXT    NOT NULL CHECK (state IN ('interpolated', 'refused')),
  reason     TEXT    NOT NULL,
  detail     TEXT    NOT NULL,
  PRIMARY KEY (start, project_id, host, machine)
) WITHOUT ROWID;
