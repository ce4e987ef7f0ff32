-- What is left of facts at key grain that are not kept any more. fact_usage, the
-- sums of days and all that was written down about an interval stay.

-- Where to go on: the intervals that have something to lose. Those that were
-- pruned have left it.
CREATE INDEX idx_usage_interval_kept ON usage_interval(start) WHERE state = 'settled' AND pruned = 0;

-- The newest fact of a key among those that are not kept: when a key was last used
-- is known from here, if nothing of it is left.
CREATE TABLE pruned_key (
  key_id INTEGER PRIMARY KEY REFERENCES usage_key(key_id),
  last   INTEGER NOT NULL  -- start of the piece
);
