-- What an intensity counts, and how sure its provider is of it. Both are the words of the package
-- usage; '' is what nobody has said. Times are Unix seconds, UTC.

ALTER TABLE intensity_slot ADD COLUMN basis   TEXT NOT NULL DEFAULT '';  -- 'average direct consumption'
ALTER TABLE intensity_slot ADD COLUMN quality TEXT NOT NULL DEFAULT '';  -- of the actual, as the provider says it
ALTER TABLE interval_price ADD COLUMN basis   TEXT NOT NULL DEFAULT '';
ALTER TABLE interval_price ADD COLUMN quality TEXT NOT NULL DEFAULT '';  -- never '' after this migration

-- Of earlier changes nobody knows it.
ALTER TABLE interval_change ADD COLUMN old_basis TEXT NOT NULL DEFAULT '';
ALTER TABLE interval_change ADD COLUMN new_basis TEXT NOT NULL DEFAULT '';

UPDATE intensity_slot SET basis = 'average direct consumption' WHERE provider = 'uk';
UPDATE intensity_slot SET quality = 'final' WHERE provider = 'static' AND actual IS NOT NULL;

UPDATE interval_price SET
  basis = CASE provider WHEN 'uk' THEN 'average direct consumption' ELSE '' END,
  quality = CASE
    WHEN kind = 'forecast' THEN 'forecast'
    WHEN provider = 'static' THEN 'final'
    WHEN EXISTS (SELECT 1 FROM usage_interval i WHERE i.state = 'settled' AND i.start = interval_price.start - interval_price.start
      % (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'interval_seconds')) THEN 'final'
    ELSE 'provisional'
  END;

-- Actuals of 0 that are not believed yet, because another value was expected. A second one, an hour
-- later, is.
CREATE TABLE intensity_doubt (
  provider   TEXT    NOT NULL,
  grid       TEXT    NOT NULL,
  slot_start INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,  -- when it was first seen
  PRIMARY KEY (provider, grid, slot_start)
) WITHOUT ROWID;
