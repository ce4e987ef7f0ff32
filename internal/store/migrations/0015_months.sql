-- What the days of a month add up to, from its first day up to one that has long ended: whoever adds
-- up a year reads twelve values and not 365. It changes with the sums of those days, in the same
-- transaction. A month that has no row, and the days after the last that is included, are added
-- up from usage_day.
CREATE TABLE usage_month (
  month INTEGER PRIMARY KEY,  -- its first local date, in days since 1970-01-01
  until INTEGER NOT NULL,     -- the last local date that is included
  sums  BLOB    NOT NULL,     -- in the format of usage_total (see sums.go)
  more  BLOB
);
