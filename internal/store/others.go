package store

import (
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// keepOthers turns a record about one project into one about all of them: the usage and factors
// of the other projects stay. An interval has one PUE, and one power per machine type.
func (u *update) keepOthers(rec *usage.Record, project string, old content, fresh *content) error {
	machines := map[string]bool{}
	for _, r := range old.rows {
		k, err := u.naming.keyOf(u.ctx, r.key)
		if err != nil {
			return err
		}
		if k.Project == project {
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
	if err := readFactors(u.ctx, u.tx, &was); err != nil {
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
	rec.Coverage = withOthers(rec.Coverage, was.Coverage, project)
	rec.Labels = withOthers(rec.Labels, was.Labels, project)
	one := func(name string) bool { return name == project }
	other := func(name string) bool { return name != project }
	rec.Attendance = rec.Attendance.Of(one).With(was.Attendance.Of(other))
	rec.Queries = usage.Queries{} // keep the stored queries: the other projects came from them
	return nil
}

// withOthers adds what is known of the other projects.
func withOthers[T any](own, was map[string]T, project string) map[string]T {
	for other, v := range was {
		if other == project {
			continue
		}
		if own == nil {
			own = map[string]T{}
		}
		own[other] = v
	}
	return own
}

// rowsOf returns the rows of one project.
func (u *update) rowsOf(rows []row, project string) (own []row, err error) {
	for _, r := range rows {
		k, err := u.naming.keyOf(u.ctx, r.key)
		if err != nil {
			return nil, err
		}
		if k.Project == project {
			own = append(own, r)
		}
	}
	return own, nil
}
