-- What the same energy emitted by other factors (carbon_intensity.also), by day, project and
-- group. Grams of different factors are never added up. A site without such factors has no row in
-- these tables. Times are Unix seconds, UTC.

-- The sources of each set of factors that is configured, in order of preference.
CREATE TABLE factor_source (
  factors  TEXT    NOT NULL,
  place    INTEGER NOT NULL,
  provider TEXT    NOT NULL,
  grid     TEXT    NOT NULL,
  PRIMARY KEY (factors, place)
) WITHOUT ROWID;

-- What has changed since its day was added up: an interval, or a half hour of a source.
CREATE TABLE factor_news (
  start   INTEGER NOT NULL,
  factors TEXT    NOT NULL,
  times   INTEGER NOT NULL,  -- how often: what changes while its day is added up is added up again
  PRIMARY KEY (start, factors)
) WITHOUT ROWID;

-- The usage of a local day, as in usage_day. A row stays when per-key rows are deleted.
CREATE TABLE factor_day (
  factors    TEXT    NOT NULL,
  day        INTEGER NOT NULL,  -- the local date, in days since 1970-01-01
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  group_id   INTEGER NOT NULL REFERENCES dim_group(group_id),
  kwh        REAL    NOT NULL,  -- that has a factor; the rest is not known
  gco2eq     REAL    NOT NULL,
  PRIMARY KEY (factors, day, project_id, group_id)
) WITHOUT ROWID;

-- The exact sums of all days: kWh and gCO2eq, in the format of usage_total (see sums.go).
CREATE TABLE factor_total (
  factors    TEXT    NOT NULL,
  project_id INTEGER NOT NULL REFERENCES dim_project(project_id),
  group_id   INTEGER NOT NULL REFERENCES dim_group(group_id),
  days       INTEGER NOT NULL,
  sums       BLOB    NOT NULL,
  PRIMARY KEY (factors, project_id, group_id)
) WITHOUT ROWID;

-- Whoever writes usage or intensities makes news. Without sets of factors there is none.

CREATE TRIGGER factor_news_of_interval AFTER INSERT ON usage_interval
WHEN NEW.revision IS NOT NULL BEGIN
  INSERT INTO factor_news SELECT NEW.start, factors, 1 FROM factor_source WHERE place = 0
  ON CONFLICT DO UPDATE SET times = times + 1;
END;

CREATE TRIGGER factor_news_of_revision AFTER UPDATE OF revision ON usage_interval
WHEN NEW.revision IS NOT OLD.revision BEGIN
  INSERT INTO factor_news SELECT NEW.start, factors, 1 FROM factor_source WHERE place = 0
  ON CONFLICT DO UPDATE SET times = times + 1;
END;

CREATE TRIGGER factor_news_of_slot AFTER INSERT ON intensity_slot BEGIN
  INSERT INTO factor_news SELECT DISTINCT NEW.slot_start, factors, 1 FROM factor_source
  WHERE provider = NEW.provider AND grid = NEW.grid
  ON CONFLICT DO UPDATE SET times = times + 1;
END;

CREATE TRIGGER factor_news_of_value AFTER UPDATE OF forecast, actual ON intensity_slot
WHEN coalesce(NEW.actual, NEW.forecast) IS NOT coalesce(OLD.actual, OLD.forecast) BEGIN
  INSERT INTO factor_news SELECT DISTINCT NEW.slot_start, factors, 1 FROM factor_source
  WHERE provider = NEW.provider AND grid = NEW.grid
  ON CONFLICT DO UPDATE SET times = times + 1;
END;
