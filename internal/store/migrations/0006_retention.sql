-- What remains when per-key rows are deleted. fact_usage, the daily sums and everything else
-- about an interval stay.

-- Where pruning continues: the intervals that still have per-key rows to delete.
CREATE INDEX idx_usage_interval_kept ON usage_interval(start) WHERE state = 'settled' AND pruned = 0;

-- The newest deleted fact of a key: tells when a key was last used if none of its facts are
-- left.
CREATE TABLE pruned_key (
  key_id INTEGER PRIMARY KEY REFERENCES usage_key(key_id),
  last   INTEGER NOT NULL  -- start of the piece
);
