-- Which labels the series of a project had in an interval, of those that say whose
-- they are: a project that loses one, or all of its series, is told of.
CREATE TABLE interval_labels (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  project    INTEGER NOT NULL,  -- 1: all of its series have it
  machine    INTEGER NOT NULL,
  host       INTEGER NOT NULL,
  user       INTEGER NOT NULL,  -- 1: some of its series have it
  PRIMARY KEY (start, project_id)
) WITHOUT ROWID;
