-- The exact sums of every key over each day: a month or a budget is the sum of its days, even
-- if per-key rows were deleted. An interval belongs to the local date on which it begins, in
-- the time zone of the setting timezone. One value a day, in the format of usage_total (see
-- sums.go). Both are computed from the facts if the setting is missing.
CREATE TABLE usage_day (
  day  INTEGER PRIMARY KEY,  -- the local date, in days since 1970-01-01
  sums BLOB NOT NULL
);
DELETE FROM usage_total;

-- What the settled counters of a key have shown, if a restatement of settled intervals has left
-- less: a counter never falls, it waits until there is more.
CREATE TABLE counter_floor (
  key_id      INTEGER PRIMARY KEY REFERENCES usage_key(key_id),
  busy_kwh    REAL NOT NULL,
  idle_kwh    REAL NOT NULL,
  busy_gCo2eq REAL NOT NULL,
  idle_gCo2eq REAL NOT NULL
);
