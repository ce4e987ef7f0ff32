-- Which of the labels for attribution a project's series had in an interval: a project that
-- loses one, or all of its series, is reported.
CREATE TABLE interval_labels (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  project    INTEGER NOT NULL,  -- 1: all of its series have it
  machine    INTEGER NOT NULL,
  host       INTEGER NOT NULL,
  user       INTEGER NOT NULL,  -- 1: some of its series have it
  PRIMARY KEY (start, project_id)
) WITHOUT ROWID;
