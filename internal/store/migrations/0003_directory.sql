-- Attribution: the directory of workspaces, users and groups as last read, the active
-- workspaces, who must stay forgotten, and how much other systems have received. Times are Unix
-- seconds, UTC.

-- === The directory; the setting directory_as_of is when it was read ===

CREATE TABLE directory_tenure (
  document   TEXT    NOT NULL,  -- id of the record that says so
  place      INTEGER NOT NULL,  -- its place among those of the document
  host       TEXT    NOT NULL,
  owner      TEXT    NOT NULL,  -- a user's id; '': nobody's
  valid_from INTEGER,
  valid_to   INTEGER,           -- NULL: still
  PRIMARY KEY (document, place)
) WITHOUT ROWID;

CREATE TABLE directory_person (
  user_id      TEXT PRIMARY KEY,
  display_name TEXT
) WITHOUT ROWID;

CREATE TABLE directory_membership (
  membership_id INTEGER PRIMARY KEY,
  user_id       TEXT NOT NULL,
  group_name    TEXT NOT NULL,
  valid_from    INTEGER,        -- NULL: always
  valid_to      INTEGER         -- NULL: still
);
-- The seconds of the year 1, in which nobody was in a group, stand for NULL.
CREATE UNIQUE INDEX idx_directory_membership ON directory_membership(
  user_id, group_name, COALESCE(valid_from, -62135596800));

CREATE TABLE directory_placement (
  host    TEXT PRIMARY KEY,
  project TEXT,                 -- NULL: not known
  machine TEXT
) WITHOUT ROWID;

-- === Due again, and followed ===

-- An interval with facts is due again to be attributed by a directory that knows more. A
-- settled one has no retry_at.
DROP INDEX idx_usage_interval_due;
CREATE INDEX idx_usage_interval_due ON usage_interval(start) WHERE retry_at IS NOT NULL;

-- Increases with every change of what others would see of an interval; each value is unique. A
-- new follower gets everything.
ALTER TABLE usage_interval ADD COLUMN revision INTEGER;
UPDATE usage_interval SET revision = n.revision FROM (
  SELECT start, row_number() OVER (ORDER BY start) AS revision
  FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')) AS n
WHERE n.start = usage_interval.start;
CREATE UNIQUE INDEX idx_usage_interval_revision ON usage_interval(revision) WHERE revision IS NOT NULL;

CREATE TABLE follower (
  name     TEXT PRIMARY KEY,
  revision INTEGER NOT NULL     -- the last one it has
) WITHOUT ROWID;

-- === Workspaces ===

CREATE INDEX idx_dim_instance_raw_label ON dim_instance(raw_label);

-- The group of an active workspace's usage.
CREATE TABLE active_group (
  workspace_id INTEGER PRIMARY KEY REFERENCES active_workspace(workspace_id) ON DELETE CASCADE,
  group_id     INTEGER NOT NULL REFERENCES dim_group(group_id)
);

-- Energy by host, kept while the host is active. Ordered by time, so that a commit writes at
-- its end.
CREATE TABLE workspace_usage (
  start            INTEGER NOT NULL,  -- of the piece
  instance_id      INTEGER NOT NULL REFERENCES dim_instance(instance_id),
  until            INTEGER NOT NULL,  -- end of the stretch of the piece
  machine_id       INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  busy_cpu_seconds REAL NOT NULL,
  idle_cpu_seconds REAL NOT NULL,
  busy_kwh         REAL NOT NULL,
  idle_kwh         REAL NOT NULL,
  estimated        INTEGER NOT NULL DEFAULT 0,  -- 1: nothing was seen, the mean of its machine type
  PRIMARY KEY (start, instance_id, until)
) WITHOUT ROWID;

-- === People ===

-- Hashes of ids whose future usage is unattributed, keyed with the setting forgotten_salt. The
-- alias of a person is not stored here, on purpose.
CREATE TABLE forgotten (
  hash BLOB PRIMARY KEY
) WITHOUT ROWID;

-- The users that /metrics names, if the setting users_shown says that they were chosen, and
-- which part of the settled counters is shown under another user.
CREATE TABLE shown_user (
  user_id TEXT PRIMARY KEY REFERENCES dim_user(user_id) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE shown_elsewhere (
  key_id      INTEGER PRIMARY KEY REFERENCES usage_key(key_id) ON DELETE CASCADE,
  busy_kwh    REAL NOT NULL,
  idle_kwh    REAL NOT NULL,
  busy_gCo2eq REAL NOT NULL,
  idle_gCo2eq REAL NOT NULL
);
