// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

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
		if by, ok := old.made[r.key]; ok {
			if fresh.made == nil {
				fresh.made = map[int64]factors{}
			}
			fresh.made[r.key] = by
		}
	}
	sortRows(fresh.rows)
	was := usage.Record{Interval: rec.Interval, Coverage: map[string]usage.Coverage{}}
	if err := readFactors(u.ctx, u.tx, &was); err != nil {
		return err
	}
	if len(machines) > 0 && (was.PUE != rec.PUE || !slices.Equal(was.PUEs, rec.PUEs)) {
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
			if models := was.Models[r.Machine]; models != nil {
				if rec.Models == nil {
					rec.Models = map[string][]usage.ModelShare{}
				}
				rec.Models[r.Machine] = models
			}
		case !is.Same(r): // sums are made with all of it
			return usage.ErrOtherFactors
		}
	}
	for machine := range rec.Embodied {
		if _, known := was.Embodied[machine]; machines[machine] && !known {
			return usage.ErrOtherFactors
		}
	}
	for machine, grams := range was.Embodied {
		is, shared := rec.Embodied[machine]
		switch {
		case !machines[machine]:
		case !shared && rec.Embodied == nil:
			rec.Embodied = map[string]usage.GramsPerCoreHour{machine: grams}
		case !shared:
			rec.Embodied[machine] = grams
		case is != grams:
			return usage.ErrOtherFactors
		}
	}
	rec.Zones = nil // what is booked in a zone is of all its projects
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
