package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Why a record about one project is left alone.
var (
	errNoWhole      = errors.New("holds nothing yet, and a part of it would look like all of it")
	errOtherFactors = errors.New("its other projects were made with other watts or another PUE; restate all of it")
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
		return errOtherFactors
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
			return errOtherFactors
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
	rec.Asked = usage.Asked{} // what was asked for the others stands
	return nil
}
