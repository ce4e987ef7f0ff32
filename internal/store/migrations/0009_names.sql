-- What ids of projects, users and groups are shown as.
CREATE TABLE directory_name (
  kind TEXT NOT NULL,  -- project, user or group
  id   TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
