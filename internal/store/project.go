package store

import (
	"context"
	"database/sql"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// keepOthers makes a record about one project one about all of them: what the
// others used, and what that was made with, stays. An interval has one PUE and one
// power for each machine type.
func (s *Store) keepOthers(ctx context.Context, tx *sql.Tx, naming *naming, rec *usage.Record, old content, fresh *content) error {
	machines := map[string]bool{}
	for _, r := range old.rows {
		k, err := naming.keyOf(ctx, r.key)
		if err != nil {
			return err
		}
		if k.Project == *rec.Project {
			continue
		}
		machines[k.Machine] = true
		fresh.rows = append(fresh.rows, r)
		if e := old.errs[r.key]; e != nil {
			if fresh.errs == nil {
				fresh.errs = map[int64]*float64{}
			}
			fresh.errs[r.key] = e
		}
	}
	sortRows(fresh.rows)
	was := usage.Record{Interval: rec.Interval, Coverage: map[string]usage.Coverage{}}
	if err := readFactors(ctx, tx, &was); err != nil {
		return err
	}
	if len(machines) > 0 && was.PUE != rec.PUE {
		return usage.ErrOtherFactors
	}
	power := map[string]usage.Rating{}
	for _, r := range rec.Ratings {
		power[r.Machine] = r
	}
	for _, r := range was.Ratings {
		is, shared := power[r.Machine]
		switch {
		case !machines[r.Machine]:
		case !shared:
			rec.Ratings = append(rec.Ratings, r)
		case is.Watts != r.Watts:
			return usage.ErrOtherFactors
		}
	}
	for project, c := range was.Coverage {
		if project != *rec.Project {
			if rec.Coverage == nil {
				rec.Coverage = map[string]usage.Coverage{}
			}
			rec.Coverage[project] = c
		}
	}
	for project, l := range was.Labels {
		if project != *rec.Project {
			if rec.Labels == nil {
				rec.Labels = map[string]usage.Labels{}
			}
			rec.Labels[project] = l
		}
	}
	rec.Asked = usage.Asked{} // what was asked for the others stands
	return nil
}

// rowsOf gives the rows of one project.
func (c *committing) rowsOf(rows []row, project string) (own []row, err error) {
	for _, r := range rows {
		k, err := c.naming.keyOf(c.ctx, r.key)
		if err != nil {
			return nil, err
		}
		if k.Project == project {
			own = append(own, r)
		}
	}
	return own, nil
}
