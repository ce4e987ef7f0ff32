// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// PowerUsed returns the energy of a period by machine type and by where its power came from, most
// first. Of intervals whose per-key rows were deleted, it is not known which energy was measured
// by host: it has the source of its machine type. Of those whose rows of fact_usage were deleted,
// neither is known.
func (s *Store) PowerUsed(ctx context.Context, p usage.Period) (all []usage.PowerUsed, err error) {
	type part struct{ machine, source string }
	used := map[part]usage.KWh{}
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		if err := each(ctx, tx, `SELECT coalesce(sum(kwh), 0) FROM usage_interval i WHERE start >= ? AND start < ?
			AND start < (SELECT CAST(value AS INTEGER) FROM setting WHERE name = '`+membersFrom+`')
			AND NOT EXISTS (SELECT 1 FROM fact_usage f WHERE f.scope = 'ada' AND f.ts = strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch'))`,
			[]any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
				var deleted usage.KWh
				err := rows.Scan(&deleted)
				used[part{"", usage.PowerDeleted}] = deleted
				return err
			}); err != nil {
			return err
		}
		// CROSS JOIN keeps the order: the other way round each row of all time would meet each
		// interval of the period.
		if err := each(ctx, tx, `SELECT m.machine_name, w.source, sum(f.busy_kwh + f.idle_kwh), sum(f.measured_kwh)
			FROM fact_usage f CROSS JOIN interval_power w ON w.start = unixepoch(f.ts) AND w.machine_id = f.machine_id
			CROSS JOIN dim_machine m ON m.machine_id = w.machine_id
			WHERE f.scope = 'machine' AND f.ts >= strftime('%Y-%m-%dT%H:%M:%SZ', ?, 'unixepoch') AND f.ts < strftime('%Y-%m-%dT%H:%M:%SZ', ?, 'unixepoch')
			GROUP BY 1, 2`, []any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var k part
			var hosts, devices usage.KWh
			err := rows.Scan(&k.machine, &k.source, &hosts, &devices)
			used[k] += hosts
			used[part{k.machine, usage.PowerDevices}] += devices
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT m.machine_name, w.source, sum(b.metered_busy_kwh + b.metered_idle_kwh)
			FROM usage_beside b JOIN usage_key k USING (key_id) JOIN dim_machine m USING (machine_id)
			JOIN interval_power w ON w.machine_id = k.machine_id
				AND w.start = b.start - b.start % (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'interval_seconds')
			WHERE b.start >= ? AND b.start < ? GROUP BY 1, 2`, []any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
			var k part
			var metered usage.KWh
			err := rows.Scan(&k.machine, &k.source, &metered)
			used[k] -= metered
			used[part{k.machine, usage.PowerMeasured}] += metered
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: where power came from: %w", err)
	}
	for k, energy := range used {
		if energy > 0 {
			all = append(all, usage.PowerUsed{Machine: k.machine, Source: k.source, Energy: energy})
		}
	}
	slices.SortFunc(all, func(a, b usage.PowerUsed) int {
		return cmp.Or(cmp.Compare(b.Energy, a.Energy), cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.Source, b.Source))
	})
	return all, nil
}
