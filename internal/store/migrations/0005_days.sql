-- The sums of every key over each day, exact: what a month or a budget adds up to
-- is the sum of its days, whatever of the facts is still kept. An interval is of
-- the local date on which it begins, in the time zone of the setting timezone.
-- One value a day, in the form of usage_total (see totals.go). Both are made from
-- the facts when the setting is missing.
CREATE TABLE usage_day (
  day  INTEGER PRIMARY KEY,  -- the local date, in days since 1970-01-01
  sums BLOB NOT NULL
);
DELETE FROM usage_total;

-- What the settled counters have shown of a key, where a restatement of settled
-- intervals has left less: a counter never falls, it waits until there is more.
CREATE TABLE counter_floor (
  key_id      INTEGER PRIMARY KEY REFERENCES usage_key(key_id),
  busy_kwh    REAL NOT NULL,
  idle_kwh    REAL NOT NULL,
  busy_gCo2eq REAL NOT NULL,
  idle_gCo2eq REAL NOT NULL
);
