-- Which days were published as Parquet, by the lake that they went to: a site in a bucket. Times
-- are Unix seconds, UTC.

CREATE TABLE lake (
  lake      TEXT PRIMARY KEY,
  publisher TEXT    NOT NULL,           -- random: by what the bucket knows this store
  erased    INTEGER NOT NULL DEFAULT 0  -- how many forgotten people nothing in the bucket names any more
) WITHOUT ROWID;

CREATE TABLE lake_day (
  lake       TEXT    NOT NULL REFERENCES lake(lake),
  day        TEXT    NOT NULL,  -- the local date: 2026-11-27
  began      INTEGER NOT NULL,
  ended      INTEGER NOT NULL,
  revision   INTEGER NOT NULL,  -- of the store: the largest of an interval of the day
  settled    INTEGER NOT NULL,  -- intervals by state
  empty      INTEGER NOT NULL,
  unknown    INTEGER NOT NULL,
  edition    INTEGER NOT NULL,  -- the revision of the day in the bucket
  generation INTEGER NOT NULL,  -- of its manifest
  contested  INTEGER NOT NULL,  -- 1: somebody with our id had published something else
  PRIMARY KEY (lake, day)
) WITHOUT ROWID;
