package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// sightedFor is how far back sightings are given.
	sightedFor = 14 * day
	// present is the time before the newest interval's end in which a project must
	// have had usage to be there now.
	present = time.Hour
)

// Sightings says on which of the last days projects had usage, and which labels
// their series had, and how that is now. A time of which nobody has an answer
// counts for nothing.
func (v *View) Sightings(ctx context.Context) (usage.Sightings, error) {
	all := usage.Sightings{Now: map[string]usage.Labels{}}
	var end *int64
	if err := v.tx.QueryRowContext(ctx, "SELECT max(start + seconds) FROM usage_interval WHERE state <> 'missing'").Scan(&end); err != nil || end == nil {
		return all, err
	}
	all.Newest = unix(*end)
	if err := each(ctx, v.tx, `SELECT p.cloud_project_name, l.project, l.machine, l.host, l.user
			FROM interval_labels l JOIN dim_project p ON p.project_id = l.project_id WHERE l.start >= ? ORDER BY l.start`,
		[]any{all.Newest.Add(-max(present, v.store.length)).Unix()}, func(rows *sql.Rows) error {
			var project string
			var l usage.Labels
			err := rows.Scan(&project, &l.Project, &l.Machine, &l.Host, &l.User)
			all.Now[project] = l // of the newest interval that has it
			return err
		}); err != nil {
		return all, err
	}
	return all, each(ctx, v.tx, `WITH whole AS (
				SELECT start / 86400 AS day, count(*) AS intervals FROM usage_interval
				WHERE start >= ?1 AND state IN ('unpriced', 'provisional', 'settled') GROUP BY 1)
			SELECT p.cloud_project_name, w.day * 86400, max(l.start), count(*) * 1.0 / w.intervals,
				min(l.project), min(l.machine), min(l.host), max(l.user)
			FROM interval_labels l JOIN dim_project p ON p.project_id = l.project_id JOIN whole w ON w.day = l.start / 86400
			WHERE l.start >= ?1 GROUP BY l.project_id, w.day ORDER BY 1, 2`,
		[]any{usage.FloorEpoch(all.Newest.Add(-sightedFor), day).Unix()}, func(rows *sql.Rows) error {
			var d usage.Sighting
			var at, last int64
			err := rows.Scan(&d.Project, &at, &last, &d.Share, &d.Labels.Project, &d.Machine, &d.Host, &d.User)
			d.Day, d.Last = unix(at), unix(last)
			all.Days = append(all.Days, d)
			return err
		})
}
