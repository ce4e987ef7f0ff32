package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Coverage gives how much of the CPU time of each project was seen in the
// intervals that begin in a period. A project whose cores are not known is not
// there.
func (s *Store) Coverage(ctx context.Context, p usage.Period) (map[string]usage.Coverage, error) {
	all := map[string]usage.Coverage{}
	err := each(ctx, s.reader, `SELECT p.cloud_project_name, sum(c.seen_cpu_seconds), sum(c.capacity_cpu_seconds)
		FROM interval_coverage c JOIN dim_project p USING (project_id)
		WHERE c.start >= ? AND c.start < ? GROUP BY c.project_id`, []any{p.From.Unix(), p.To.Unix()}, func(rows *sql.Rows) error {
		var project string
		var c usage.Coverage
		err := rows.Scan(&project, &c.Seen, &c.Capacity)
		all[project] = c
		return err
	})
	return all, err
}
