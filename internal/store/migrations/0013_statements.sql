-- Statements as they were sent. A row is never changed and never deleted. Times are Unix seconds, UTC.

CREATE TABLE statement (
  number    INTEGER PRIMARY KEY CHECK (number > 0),  -- 1, 2, 3 and so on, without a gap
  scope     TEXT    NOT NULL CHECK (scope IN ('ada','project','group')),
  member    TEXT    NOT NULL,  -- the project or group; of ada: 'ada'
  month     TEXT    NOT NULL,  -- 2026-10, in the time zone of then
  issued_at INTEGER NOT NULL,
  version   TEXT    NOT NULL,  -- of the program
  revision  INTEGER NOT NULL,  -- of the store: the largest revision of an interval
  previous  TEXT    NOT NULL,  -- the hash of the statement before; '' for the first
  hash      TEXT    NOT NULL,  -- SHA-256 of the body, in hexadecimal
  body      TEXT    NOT NULL,  -- canonical JSON; it has all columns above, and no person
  UNIQUE (scope, member, month)
);

-- Who the people of a statement are. The body has SHA-256(salt, label) of each, so that a person
-- can be forgotten, and nobody can be put in their place.
CREATE TABLE statement_person (
  number  INTEGER NOT NULL REFERENCES statement(number),
  place   INTEGER NOT NULL,  -- among the people of the body, from 0
  user_id TEXT    NOT NULL,
  label   TEXT    NOT NULL,  -- as the statement shows them: an id or a pseudonym
  salt    BLOB,              -- NULL: forgotten
  PRIMARY KEY (number, place)
) WITHOUT ROWID;
CREATE INDEX idx_statement_person_user ON statement_person(user_id);

CREATE TRIGGER statement_without_gap BEFORE INSERT ON statement
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM statement)
BEGIN SELECT RAISE(ABORT, 'statements have no gaps in their numbers'); END;

CREATE TRIGGER statement_stays BEFORE UPDATE ON statement
BEGIN SELECT RAISE(ABORT, 'a statement that was issued is never changed'); END;

CREATE TRIGGER statement_is_kept BEFORE DELETE ON statement
BEGIN SELECT RAISE(ABORT, 'a statement that was issued is never deleted'); END;

-- The only change of a person is that they are forgotten.
CREATE TRIGGER statement_person_stays BEFORE UPDATE ON statement_person
WHEN NEW.number <> OLD.number OR NEW.place <> OLD.place OR NEW.salt IS NOT NULL
  OR NEW.user_id <> NEW.label OR NEW.label NOT GLOB 'forgotten-[0-9a-f]*'
BEGIN SELECT RAISE(ABORT, 'a person of a statement is never changed, only forgotten'); END;

CREATE TRIGGER statement_person_is_kept BEFORE DELETE ON statement_person
BEGIN SELECT RAISE(ABORT, 'a person of a statement is never deleted, only forgotten'); END;
