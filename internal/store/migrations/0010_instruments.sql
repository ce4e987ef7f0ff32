-- Energy that is not CPU time x average power: measured by host, of memory, and of devices with
-- meters of their own. And what the power of a machine type was made from, the PUE of each
-- piece where it is measured, embodied emissions, and measured energy of the site. A site
-- without any of it has no row in these tables. Times are Unix seconds, UTC.

-- The measured energy of devices. busy + idle + measured is the total.
ALTER TABLE fact_usage ADD COLUMN measured_kwh REAL NOT NULL DEFAULT 0.0;
ALTER TABLE fact_usage ADD COLUMN measured_gCo2eq REAL;  -- NULL: not priced, or without such energy

-- The part of a fact that is not CPU time x average power. Its energy is part of the fact's.
CREATE TABLE usage_beside (
  start                    INTEGER NOT NULL,  -- of the piece
  key_id                   INTEGER NOT NULL REFERENCES usage_key(key_id),
  metered_busy_cpu_seconds REAL NOT NULL,     -- CPU time of hosts with measured power
  metered_idle_cpu_seconds REAL NOT NULL,
  metered_busy_kwh         REAL NOT NULL,     -- and the energy measured meanwhile
  metered_idle_kwh         REAL NOT NULL,
  metered_error            REAL,              -- of the meters, as a fraction; NULL: unknown
  memory_gib_seconds       REAL NOT NULL,
  memory_kwh               REAL NOT NULL,     -- part of idle_kwh
  PRIMARY KEY (start, key_id)
) WITHOUT ROWID;

-- The energy of devices; their sum is measured_kwh.
CREATE TABLE usage_device (
  start  INTEGER NOT NULL,  -- of the piece
  key_id INTEGER NOT NULL REFERENCES usage_key(key_id),
  device TEXT    NOT NULL,  -- its name in the configuration
  kwh    REAL    NOT NULL,
  error  REAL,              -- of its meter, as a fraction; NULL: unknown
  PRIMARY KEY (start, key_id, device)
) WITHOUT ROWID;

-- The same by host, kept while the host is active.
ALTER TABLE workspace_usage ADD COLUMN measured_kwh REAL NOT NULL DEFAULT 0.0;
CREATE TABLE workspace_beside (
  start                    INTEGER NOT NULL,
  instance_id              INTEGER NOT NULL REFERENCES dim_instance(instance_id),
  until                    INTEGER NOT NULL,
  metered_busy_cpu_seconds REAL NOT NULL,
  metered_idle_cpu_seconds REAL NOT NULL,
  metered_busy_kwh         REAL NOT NULL,
  metered_idle_kwh         REAL NOT NULL,
  memory_gib_seconds       REAL NOT NULL,
  memory_kwh               REAL NOT NULL,
  PRIMARY KEY (start, instance_id, until)
) WITHOUT ROWID;

-- === What the power of a machine type was made from ===

-- What it is between two times in three, where that is not told by interval_power.error.
CREATE TABLE interval_power_bounds (
  start      INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  machine_id INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  busy_low   REAL NOT NULL,
  idle_low   REAL NOT NULL,
  busy_high  REAL NOT NULL,
  idle_high  REAL NOT NULL,
  PRIMARY KEY (start, machine_id)
) WITHOUT ROWID;

CREATE TABLE processor (
  processor_id INTEGER PRIMARY KEY,
  model        TEXT NOT NULL UNIQUE  -- as hosts say it
);

-- The share of each processor in the CPU time of a machine type.
CREATE TABLE interval_processor (
  start        INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  machine_id   INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  processor_id INTEGER NOT NULL REFERENCES processor(processor_id),
  threads      INTEGER NOT NULL,  -- of one processor; 0: not known
  share        REAL    NOT NULL,
  PRIMARY KEY (start, machine_id, processor_id, threads)
) WITHOUT ROWID;

CREATE INDEX idx_interval_processor_machine ON interval_processor(machine_id, start);

-- The PUE of each piece, where it is measured. usage_interval.pue is that of the first piece.
CREATE TABLE interval_pue (
  start INTEGER PRIMARY KEY,  -- of the piece
  pue   REAL NOT NULL
);

-- === Embodied emissions: of making the machines ===

CREATE TABLE interval_embodied (
  start                INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  machine_id           INTEGER NOT NULL REFERENCES dim_machine(machine_id),
  gco2eq_per_core_hour REAL NOT NULL,
  PRIMARY KEY (start, machine_id)
) WITHOUT ROWID;

-- === The account of the site: what was measured, and what is booked ===

CREATE TABLE interval_zone (
  start        INTEGER NOT NULL REFERENCES usage_interval(start) ON DELETE CASCADE,
  zone         TEXT    NOT NULL,
  measured_kwh REAL    NOT NULL,
  booked_kwh   REAL    NOT NULL,  -- what the exporter has for the same machines
  PRIMARY KEY (start, zone)
) WITHOUT ROWID;

-- === Sums ===

-- The sums that few keys have, in the format of usage_total (see sums.go); NULL: no key has any.
ALTER TABLE usage_total ADD COLUMN more BLOB;
ALTER TABLE usage_day   ADD COLUMN more BLOB;

ALTER TABLE counter_floor   ADD COLUMN measured_kwh    REAL NOT NULL DEFAULT 0.0;
ALTER TABLE counter_floor   ADD COLUMN measured_gCo2eq REAL NOT NULL DEFAULT 0.0;
ALTER TABLE counter_floor   ADD COLUMN embodied_gCo2eq REAL NOT NULL DEFAULT 0.0;
ALTER TABLE shown_elsewhere ADD COLUMN measured_kwh    REAL NOT NULL DEFAULT 0.0;
ALTER TABLE shown_elsewhere ADD COLUMN measured_gCo2eq REAL NOT NULL DEFAULT 0.0;
ALTER TABLE shown_elsewhere ADD COLUMN embodied_gCo2eq REAL NOT NULL DEFAULT 0.0;

-- === Views: the same as before, and the measured energy ===

DROP VIEW v_ada_timeseries;
DROP VIEW v_project_timeseries;
DROP VIEW v_machine_timeseries;
DROP VIEW v_user_timeseries;
DROP VIEW v_project_totals;
DROP VIEW v_machine_totals;
DROP VIEW v_group_totals;
DROP VIEW v_user_totals;
DROP VIEW v_project_averages;
DROP VIEW v_machine_averages;
DROP VIEW v_group_averages;
DROP VIEW v_user_averages;
DROP VIEW v_usage;

CREATE VIEW v_ada_timeseries AS
SELECT
  f.ts,
  f.busy_cpu_seconds_total, f.idle_cpu_seconds_total,
  f.busy_kwh, f.idle_kwh,
  f.busy_gCo2eq, f.idle_gCo2eq,
  CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END AS intensity_gCo2eq_kwh,
  f.measured_kwh,
  coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END) AS measured_gCo2eq
FROM fact_usage f
WHERE f.scope = 'ada';

CREATE VIEW v_project_timeseries AS
SELECT
  p.cloud_project_name, f.ts,
  f.busy_cpu_seconds_total, f.idle_cpu_seconds_total,
  f.busy_kwh, f.idle_kwh,
  f.busy_gCo2eq, f.idle_gCo2eq,
  coalesce(f.intensity_gCo2eq_kwh, CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS intensity_gCo2eq_kwh,
  f.measured_kwh,
  coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_project p ON p.project_id = f.project_id
WHERE f.scope = 'project';

CREATE VIEW v_machine_timeseries AS
SELECT
  m.machine_name, f.ts,
  f.busy_cpu_seconds_total, f.idle_cpu_seconds_total,
  f.busy_kwh, f.idle_kwh,
  f.busy_gCo2eq, f.idle_gCo2eq,
  coalesce(f.intensity_gCo2eq_kwh, CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS intensity_gCo2eq_kwh,
  f.measured_kwh,
  coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_machine m ON m.machine_id = f.machine_id
WHERE f.scope = 'machine';

CREATE VIEW v_user_timeseries AS
SELECT
  u.user_id, f.ts,
  f.busy_cpu_seconds_total, f.idle_cpu_seconds_total,
  f.busy_kwh, f.idle_kwh,
  f.busy_gCo2eq, f.idle_gCo2eq,
  coalesce(f.intensity_gCo2eq_kwh, CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS intensity_gCo2eq_kwh,
  f.measured_kwh,
  coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_user u ON u.user_id = f.user_id
WHERE f.scope = 'user';

CREATE VIEW v_project_totals AS
SELECT
  p.cloud_project_name,
  SUM(f.busy_cpu_seconds_total) AS busy_cpu_seconds_total, SUM(f.idle_cpu_seconds_total) AS idle_cpu_seconds_total,
  SUM(f.busy_kwh) AS busy_kwh, SUM(f.idle_kwh) AS idle_kwh,
  SUM(f.busy_gCo2eq) AS busy_gCo2eq, SUM(f.idle_gCo2eq) AS idle_gCo2eq,
  SUM(f.measured_kwh) AS measured_kwh,
  SUM(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_project p ON p.project_id = f.project_id
WHERE f.scope = 'project'
GROUP BY p.cloud_project_name;

CREATE VIEW v_machine_totals AS
SELECT
  m.machine_name,
  SUM(f.busy_cpu_seconds_total) AS busy_cpu_seconds_total, SUM(f.idle_cpu_seconds_total) AS idle_cpu_seconds_total,
  SUM(f.busy_kwh) AS busy_kwh, SUM(f.idle_kwh) AS idle_kwh,
  SUM(f.busy_gCo2eq) AS busy_gCo2eq, SUM(f.idle_gCo2eq) AS idle_gCo2eq,
  SUM(f.measured_kwh) AS measured_kwh,
  SUM(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_machine m ON m.machine_id = f.machine_id
WHERE f.scope = 'machine'
GROUP BY m.machine_name;

CREATE VIEW v_group_totals AS
SELECT
  g.group_name,
  SUM(f.busy_cpu_seconds_total) AS busy_cpu_seconds_total, SUM(f.idle_cpu_seconds_total) AS idle_cpu_seconds_total,
  SUM(f.busy_kwh) AS busy_kwh, SUM(f.idle_kwh) AS idle_kwh,
  SUM(f.busy_gCo2eq) AS busy_gCo2eq, SUM(f.idle_gCo2eq) AS idle_gCo2eq,
  SUM(f.measured_kwh) AS measured_kwh,
  SUM(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_user u ON u.user_id = f.user_id
JOIN dim_group g ON g.group_id = u.group_id
WHERE f.scope = 'user'
GROUP BY g.group_name;

CREATE VIEW v_user_totals AS
SELECT
  u.user_id,
  SUM(f.busy_cpu_seconds_total) AS busy_cpu_seconds_total, SUM(f.idle_cpu_seconds_total) AS idle_cpu_seconds_total,
  SUM(f.busy_kwh) AS busy_kwh, SUM(f.idle_kwh) AS idle_kwh,
  SUM(f.busy_gCo2eq) AS busy_gCo2eq, SUM(f.idle_gCo2eq) AS idle_gCo2eq,
  SUM(f.measured_kwh) AS measured_kwh,
  SUM(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS measured_gCo2eq
FROM fact_usage f
JOIN dim_user u ON u.user_id = f.user_id
WHERE f.scope = 'user'
GROUP BY u.user_id;

CREATE VIEW v_project_averages AS
SELECT
  p.cloud_project_name,
  AVG(f.busy_kwh) AS avg_busy_energy_kwh, AVG(f.idle_kwh) AS avg_idle_energy_kwh,
  AVG(f.busy_gCo2eq) AS avg_busy_carbon_gCo2eq, AVG(f.idle_gCo2eq) AS avg_idle_carbon_gCo2eq,
  AVG(CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS avg_intensity_gCo2eq_kwh,
  AVG(f.measured_kwh) AS avg_measured_energy_kwh,
  AVG(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS avg_measured_carbon_gCo2eq
FROM fact_usage f
JOIN dim_project p ON p.project_id = f.project_id
WHERE f.scope = 'project'
GROUP BY p.cloud_project_name;

CREATE VIEW v_machine_averages AS
SELECT
  m.machine_name,
  AVG(f.busy_kwh) AS avg_busy_energy_kwh, AVG(f.idle_kwh) AS avg_idle_energy_kwh,
  AVG(f.busy_gCo2eq) AS avg_busy_carbon_gCo2eq, AVG(f.idle_gCo2eq) AS avg_idle_carbon_gCo2eq,
  AVG(CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS avg_intensity_gCo2eq_kwh,
  AVG(f.measured_kwh) AS avg_measured_energy_kwh,
  AVG(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS avg_measured_carbon_gCo2eq
FROM fact_usage f
JOIN dim_machine m ON m.machine_id = f.machine_id
WHERE f.scope = 'machine'
GROUP BY m.machine_name;

CREATE VIEW v_group_averages AS
SELECT
  g.group_name,
  AVG(f.busy_kwh) AS avg_busy_energy_kwh, AVG(f.idle_kwh) AS avg_idle_energy_kwh,
  AVG(f.busy_gCo2eq) AS avg_busy_carbon_gCo2eq, AVG(f.idle_gCo2eq) AS avg_idle_carbon_gCo2eq,
  AVG(CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS avg_intensity_gCo2eq_kwh,
  AVG(f.measured_kwh) AS avg_measured_energy_kwh,
  AVG(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS avg_measured_carbon_gCo2eq
FROM fact_usage f
JOIN dim_user u ON u.user_id = f.user_id
JOIN dim_group g ON g.group_id = u.group_id
WHERE f.scope = 'user'
GROUP BY g.group_name;

CREATE VIEW v_user_averages AS
SELECT
  u.user_id,
  AVG(f.busy_kwh) AS avg_busy_energy_kwh, AVG(f.idle_kwh) AS avg_idle_energy_kwh,
  AVG(f.busy_gCo2eq) AS avg_busy_carbon_gCo2eq, AVG(f.idle_gCo2eq) AS avg_idle_carbon_gCo2eq,
  AVG(CASE WHEN (f.busy_kwh + f.idle_kwh + f.measured_kwh) > 0 THEN (f.busy_gCo2eq + f.idle_gCo2eq + coalesce(f.measured_gCo2eq, 0.0)) / (f.busy_kwh + f.idle_kwh + f.measured_kwh) END) AS avg_intensity_gCo2eq_kwh,
  AVG(f.measured_kwh) AS avg_measured_energy_kwh,
  AVG(coalesce(f.measured_gCo2eq, CASE WHEN f.busy_gCo2eq IS NOT NULL THEN 0.0 END)) AS avg_measured_carbon_gCo2eq
FROM fact_usage f
JOIN dim_user u ON u.user_id = f.user_id
WHERE f.scope = 'user'
GROUP BY u.user_id;

CREATE VIEW v_usage AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%SZ', f.start, 'unixepoch') AS ts,
  p.cloud_project_name, m.machine_name, k.user_id, g.group_name,
  f.busy_cpu_seconds, f.idle_cpu_seconds, f.busy_kwh, f.idle_kwh,
  f.busy_kwh * c.gco2eq_per_kwh AS busy_gCo2eq,
  f.idle_kwh * c.gco2eq_per_kwh AS idle_gCo2eq,
  c.gco2eq_per_kwh AS intensity_gCo2eq_kwh, c.kind AS provenance,
  coalesce(d.kwh, 0.0) AS measured_kwh,
  coalesce(d.kwh, 0.0) * c.gco2eq_per_kwh AS measured_gCo2eq
FROM usage_fact f
JOIN usage_key k   ON k.key_id = f.key_id
JOIN dim_project p ON p.project_id = k.project_id
JOIN dim_machine m ON m.machine_id = k.machine_id
JOIN dim_group g   ON g.group_id = k.group_id
LEFT JOIN (SELECT start, key_id, sum(kwh) AS kwh FROM usage_device GROUP BY start, key_id) d
  ON d.start = f.start AND d.key_id = f.key_id
LEFT JOIN interval_price c ON c.start = f.start;
