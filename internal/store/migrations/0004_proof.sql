-- The proof of a number: what changed it and why, the queries, the error of each average, and
-- forecasts as first seen. Times are Unix seconds, UTC.

-- === Changes of intervals that already had a price, with the reason ===

CREATE TABLE interval_change (
  change_id  INTEGER PRIMARY KEY,
  start      INTEGER NOT NULL,  -- of the interval
  piece      INTEGER NOT NULL,  -- start of the piece
  changed_at INTEGER NOT NULL,
  why        TEXT    NOT NULL CHECK (why IN
    ('forecast_revised', 'actual', 'actual_revised', 'provider', 'restate', 'recost')),
  old_gco2eq_per_kwh REAL, new_gco2eq_per_kwh REAL,  -- NULL: no price
  old_kind           TEXT, new_kind           TEXT,
  old_provider       TEXT, new_provider       TEXT,
  old_grid           TEXT, new_grid           TEXT,
  old_kwh            REAL, new_kwh            REAL   -- of the site in the piece; NULL: no facts
);
CREATE INDEX idx_interval_change_start ON interval_change(start);

-- === The queries ===

CREATE TABLE asked (
  asked_id   INTEGER PRIMARY KEY,
  busy_query TEXT NOT NULL,
  idle_query TEXT NOT NULL,
  UNIQUE (busy_query, idle_query)
);
ALTER TABLE usage_interval ADD COLUMN asked_id INTEGER REFERENCES asked(asked_id);
-- 1: its per-key rows were deleted; fact_usage and the sums are still there.
ALTER TABLE usage_interval ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;

-- === The error of an average ===

-- The standard error of energy computed from an average, as a fraction; NULL: unknown. The rest
-- is where a learned average comes from.
ALTER TABLE machine_average ADD COLUMN error        REAL CHECK (error >= 0);
ALTER TABLE machine_average ADD COLUMN r_squared    REAL;
ALTER TABLE machine_average ADD COLUMN observations INTEGER;
ALTER TABLE machine_average ADD COLUMN learned_from TEXT;     -- expression and range
ALTER TABLE machine_average ADD COLUMN learned_at   INTEGER;
ALTER TABLE interval_power  ADD COLUMN error        REAL;

-- === Forecasts as first seen ===

-- The forecast for a slot when it was first seen that far ahead, counted in whole slots from
-- the one in which it was seen. Only for known leads; a slot that had an actual when it was
-- seen is left out.
CREATE TABLE forecast_seen (
  provider       TEXT    NOT NULL,
  grid           TEXT    NOT NULL,
  slot_start     INTEGER NOT NULL,
  ahead          INTEGER NOT NULL,  -- seconds
  gco2eq_per_kwh REAL    NOT NULL,
  fetched_at     INTEGER NOT NULL,
  PRIMARY KEY (provider, grid, slot_start, ahead)
) WITHOUT ROWID;
