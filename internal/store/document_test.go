// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

// documentSchema is fact_usage and what it refers to in the user's document.
// Its UNIQUE over expressions, which SQLite refuses, is the index that was meant.
const documentSchema = `
CREATE TABLE dim_group (
  group_id     INTEGER PRIMARY KEY,
  group_name   TEXT NOT NULL UNIQUE
);
CREATE TABLE dim_user (
  user_id      TEXT PRIMARY KEY,
  display_name TEXT,
  group_id     INTEGER REFERENCES dim_group(group_id) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE TABLE dim_project (
  project_id           INTEGER PRIMARY KEY,
  cloud_project_name   TEXT NOT NULL UNIQUE
);
CREATE TABLE dim_machine (
  machine_id   INTEGER PRIMARY KEY,
  machine_name TEXT NOT NULL UNIQUE
);
CREATE TABLE fact_usage (
  usage_id     INTEGER PRIMARY KEY,
  ts           TEXT    NOT NULL,
  scope        TEXT    NOT NULL CHECK (scope IN ('ada','project','machine','user')),
  project_id   INTEGER REFERENCES dim_project(project_id),
  machine_id   INTEGER REFERENCES dim_machine(machine_id),
  user_id      TEXT    REFERENCES dim_user(user_id),

  busy_cpu_seconds_total REAL NOT NULL DEFAULT 0.0,
  idle_cpu_seconds_total REAL NOT NULL DEFAULT 0.0,
  busy_kwh               REAL NOT NULL DEFAULT 0.0,
  idle_kwh               REAL NOT NULL DEFAULT 0.0,
  busy_gCo2eq            REAL NOT NULL DEFAULT 0.0,
  idle_gCo2eq            REAL NOT NULL DEFAULT 0.0,
  intensity_gCo2eq_kwh   REAL,

  CHECK ( (scope='ada'     AND project_id IS NULL AND machine_id IS NULL AND user_id IS NULL)
       OR (scope='project' AND project_id IS NOT NULL AND machine_id IS NULL AND user_id IS NULL)
       OR (scope='machine' AND machine_id IS NOT NULL AND project_id IS NULL AND user_id IS NULL)
       OR (scope='user'    AND user_id    IS NOT NULL AND project_id IS NULL AND machine_id IS NULL)
  )
);
CREATE UNIQUE INDEX idx_fact_usage_unique ON fact_usage(
  scope, ts, COALESCE(project_id, -1), COALESCE(machine_id, -1), COALESCE(user_id, ''));
CREATE INDEX idx_fact_usage_ts       ON fact_usage(ts);
CREATE INDEX idx_fact_usage_scope    ON fact_usage(scope);
CREATE INDEX idx_fact_usage_project  ON fact_usage(project_id) WHERE project_id IS NOT NULL;
CREATE INDEX idx_fact_usage_machine  ON fact_usage(machine_id) WHERE machine_id IS NOT NULL;
CREATE INDEX idx_fact_usage_user     ON fact_usage(user_id)    WHERE user_id IS NOT NULL;`

const documentUpsert = `
INSERT INTO fact_usage(
  ts, scope, project_id, machine_id, user_id,
  busy_cpu_seconds_total, idle_cpu_seconds_total,
  busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh
) VALUES (?, 'user', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(scope, ts, COALESCE(project_id, -1), COALESCE(machine_id, -1), COALESCE(user_id, ''))
DO UPDATE SET
  busy_cpu_seconds_total = excluded.busy_cpu_seconds_total,
  idle_cpu_seconds_total = excluded.idle_cpu_seconds_total,
  busy_kwh               = excluded.busy_kwh,
  idle_kwh               = excluded.idle_kwh,
  busy_gCo2eq            = excluded.busy_gCo2eq,
  idle_gCo2eq            = excluded.idle_gCo2eq,
  intensity_gCo2eq_kwh   = excluded.intensity_gCo2eq_kwh`

// documentColumns are the tables and views of the user's document, and the
// columns that its readers select.
var documentColumns = map[string]string{
	"dim_group":           "group_id group_name",
	"dim_user":            "user_id display_name group_id",
	"dim_project":         "project_id cloud_project_name",
	"dim_machine":         "machine_id machine_name",
	"map_user_project":    "user_id project_id",
	"map_project_machine": "project_id machine_id",
	"dim_instance":        "instance_id host port raw_label",
	"fact_usage": "usage_id ts scope project_id machine_id user_id busy_cpu_seconds_total idle_cpu_seconds_total" +
		" busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq intensity_gCo2eq_kwh",
	"active_workspace": "workspace_id instance_id machine_id user_id project_id started_at",
	"v_ada_timeseries": "ts busy_cpu_seconds_total idle_cpu_seconds_total busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq intensity_gCo2eq_kwh",
	"v_project_timeseries": "cloud_project_name ts busy_cpu_seconds_total idle_cpu_seconds_total" +
		" busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq intensity_gCo2eq_kwh",
	"v_machine_timeseries": "machine_name ts busy_cpu_seconds_total idle_cpu_seconds_total" +
		" busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq intensity_gCo2eq_kwh",
	"v_user_timeseries": "user_id ts busy_cpu_seconds_total idle_cpu_seconds_total" +
		" busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq intensity_gCo2eq_kwh",
	"v_project_totals":   "cloud_project_name busy_cpu_seconds_total idle_cpu_seconds_total busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq",
	"v_machine_totals":   "machine_name busy_cpu_seconds_total idle_cpu_seconds_total busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq",
	"v_group_totals":     "group_name busy_cpu_seconds_total idle_cpu_seconds_total busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq",
	"v_user_totals":      "user_id busy_cpu_seconds_total idle_cpu_seconds_total busy_kwh idle_kwh busy_gCo2eq idle_gCo2eq",
	"v_project_averages": "cloud_project_name avg_busy_energy_kwh avg_idle_energy_kwh avg_busy_carbon_gCo2eq avg_idle_carbon_gCo2eq avg_intensity_gCo2eq_kwh",
	"v_machine_averages": "machine_name avg_busy_energy_kwh avg_idle_energy_kwh avg_busy_carbon_gCo2eq avg_idle_carbon_gCo2eq avg_intensity_gCo2eq_kwh",
	"v_group_averages":   "group_name avg_busy_energy_kwh avg_idle_energy_kwh avg_busy_carbon_gCo2eq avg_idle_carbon_gCo2eq avg_intensity_gCo2eq_kwh",
	"v_user_averages":    "user_id avg_busy_energy_kwh avg_idle_energy_kwh avg_busy_carbon_gCo2eq avg_idle_carbon_gCo2eq avg_intensity_gCo2eq_kwh",
}
