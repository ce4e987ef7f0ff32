-- What the exporter needs beside the tables that people read: usage by key and piece, the life
-- of each interval, and the origin of every factor. Times are Unix seconds, UTC. A piece is the
-- part of an interval that lies in one carbon slot; with an interval of half an hour or less
-- they are the same.

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE usage_key (
  key_id     INTEGER PRIMARY KEY,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  machine_id INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  user_id    TEXT    NOT NULL REFERENCES dim_user(user_id) ON UPDATE CASCADE,
  group_id   INTEGER NOT NULL REFERENCES dim_group(group_id),  -- the group at the time of the usage
  UNIQUE (project_id, machine_id, user_id, group_id)
);

-- The per-key rows. Integer keys and no rowid: a third of the bytes of fact_usage and four
-- times its insert rate. Grams are not here: they are kWh x the price of the piece, so that a
-- restated price touches one row of interval_price.
CREATE TABLE usage_fact (
  start            INTEGER NOT NULL,  -- of the piece
  key_id           INTEGER NOT NULL REFERENCES usage_key(key_id),
  busy_cpu_seconds REAL NOT NULL,
  idle_cpu_seconds REAL NOT NULL,
  busy_kwh         REAL NOT NULL,
  idle_kwh         REAL NOT NULL,
  PRIMARY KEY (start, key_id)
) WITHOUT ROWID;

CREATE TABLE usage_interval (
  start      INTEGER PRIMARY KEY,
  seconds    INTEGER NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('missing','empty','unpriced','provisional','settled')),
  kwh        REAL,                        -- of the site; NULL until there are facts
  pue        REAL,                        -- in force when the facts were made
  fetched_at INTEGER,                     -- when Prometheus answered
  attempts   INTEGER NOT NULL DEFAULT 0,  -- failed ones, since the last answer
  retry_at   INTEGER DEFAULT 0,           -- not asked for before; NULL: not asked for again
  error      TEXT                         -- of the last failed attempt
);
CREATE INDEX idx_usage_interval_state ON usage_interval(state, start);
CREATE INDEX idx_usage_interval_due ON usage_interval(start)
  WHERE state IN ('missing', 'empty') AND retry_at IS NOT NULL;

-- The current price of a piece, and where it comes from.
CREATE TABLE interval_price (
  start           INTEGER PRIMARY KEY,
  gco2eq_per_kwh  REAL    NOT NULL,
  kind            TEXT    NOT NULL CHECK (kind IN ('forecast','actual')),
  provider        TEXT    NOT NULL,
  grid            TEXT    NOT NULL,
  slot_start      INTEGER NOT NULL,
  fetched_at      INTEGER NOT NULL
);

-- The power used for an interval, per core.
CREATE TABLE interval_power (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  machine_id INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  busy_watts REAL NOT NULL,
  idle_watts REAL NOT NULL,
  source     TEXT NOT NULL,
  PRIMARY KEY (start, machine_id)
) WITHOUT ROWID;

-- CPU seconds of all modes seen, and cores x time.
CREATE TABLE interval_coverage (
  start                INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id           INTEGER NOT NULL REFERENCES dim_project(project_id),
  seen_cpu_seconds     REAL NOT NULL,
  capacity_cpu_seconds REAL NOT NULL,
  PRIMARY KEY (start, project_id)
) WITHOUT ROWID;

-- The best known values for each half hour of a grid.
CREATE TABLE intensity_slot (
  provider   TEXT    NOT NULL,
  grid       TEXT    NOT NULL,
  slot_start INTEGER NOT NULL,
  forecast   REAL,
  actual     REAL,
  word       TEXT    NOT NULL DEFAULT '',  -- the provider's own: low, moderate, high
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (provider, grid, slot_start)
) WITHOUT ROWID;

-- Average power of a machine type, in watts per core, from valid_from until valid_to (NULL: no
-- end). If several are valid, the one that began last wins.
CREATE TABLE machine_average (
  machine_name TEXT    NOT NULL,
  valid_from   INTEGER NOT NULL,
  valid_to     INTEGER,
  busy_watts   REAL    NOT NULL CHECK (busy_watts > 0),
  idle_watts   REAL    NOT NULL CHECK (idle_watts >= 0),
  source       TEXT    NOT NULL,
  PRIMARY KEY (machine_name, valid_from)
) WITHOUT ROWID;

-- The exact sums of every key over all intervals, as one value: it is read and written as a
-- whole with each commit, and 184 bytes per key in one row cost a twentieth of a row per key.
-- See sums.go for its format; the views v_*_totals return the same sums in SQL.
CREATE TABLE usage_total (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  sums BLOB NOT NULL
);

CREATE VIEW v_usage AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%SZ', f.start, 'unixepoch') AS ts,
  p.cloud_project_name, m.machine_name, k.user_id, g.group_name,
  f.busy_cpu_seconds, f.idle_cpu_seconds, f.busy_kwh, f.idle_kwh,
  f.busy_kwh * c.gco2eq_per_kwh AS busy_gCo2eq,
  f.idle_kwh * c.gco2eq_per_kwh AS idle_gCo2eq,
  c.gco2eq_per_kwh AS intensity_gCo2eq_kwh, c.kind AS provenance
FROM usage_fact f
JOIN usage_key k   ON k.key_id = f.key_id
JOIN dim_project p ON p.project_id = k.project_id
JOIN dim_machine m ON m.machine_id = k.machine_id
JOIN dim_group g   ON g.group_id = k.group_id
LEFT JOIN interval_price c ON c.start = f.start;
