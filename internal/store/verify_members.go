// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// scopeSums are the sums over all members of a scope: CPU seconds, kWh and grams, each busy and
// idle.
type scopeSums struct {
	sums     amountSums
	unpriced int // members without grams
	members  int
}

// amountSums are indexed as memberColumns are; summed names their columns. The intensity is not
// added up.
type amountSums [measuredGramsColumn + 1]usage.Sum

var summed = [measuredGramsColumn + 1]string{
	"busy_cpu_seconds_total", "idle_cpu_seconds_total", "busy_kwh", "idle_kwh", "busy_gCo2eq", "idle_gCo2eq", "", "measured_kwh", "measured_gCo2eq",
}

// checkMembers checks that the rows of fact_usage add up to the site in every scope and, unless
// per-key rows were deleted, that they are the sums of the facts.
func (w *walk) checkMembers(ctx context.Context, r intervalRow, c content) error {
	want, err := w.folded(ctx, c)
	if err != nil {
		return err
	}
	scopes := map[string]*scopeSums{}
	other := 0 // rows that differ from the sums of the facts
	err = each(ctx, w.tx, `SELECT scope, coalesce(project_id, -1), coalesce(machine_id, -1), coalesce(user_id, ''),
		busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh,
		measured_kwh, measured_gCo2eq
		FROM fact_usage WHERE scope IN ('ada', 'project', 'machine', 'user') AND ts = ?`, []any{r.String()}, func(rows *sql.Rows) error {
		var id memberID
		var v memberColumns
		if err := rows.Scan(&id.scope, &id.project, &id.machine, &id.user, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8]); err != nil {
			return err
		}
		w.members++
		scope := scopes[id.scope]
		if scope == nil {
			scope = &scopeSums{}
			scopes[id.scope] = scope
		}
		scope.add(v)
		if m, ok := want[id]; !r.pruned && (!ok || !sameValues(v, m)) {
			other++
		}
		delete(want, id)
		return nil
	})
	if err != nil {
		return err
	}
	if len(scopes) == 0 && r.Start.Before(w.membersFrom) {
		w.memberless++ // they were deleted
		return nil
	}
	if other += len(want); other > 0 {
		w.scopes.fault("%s: %d rows of fact_usage differ from the sums of the facts", r, other)
	}
	w.compareScopes(r, scopes)
	return nil
}

// folded returns the rows that the facts make.
func (w *walk) folded(ctx context.Context, c content) (map[memberID]memberColumns, error) {
	members, err := fold(ctx, w.naming, c)
	if err != nil {
		return nil, err
	}
	all := make(map[memberID]memberColumns, len(members))
	for _, m := range members {
		all[m.id()] = m.columns()
	}
	return all, nil
}

func (s *scopeSums) add(v memberColumns) {
	s.members++
	if v[busyGrams] == nil || v[idleGrams] == nil {
		s.unpriced++
	}
	for i := range s.sums {
		if v[i] != nil && i != intensityColumn {
			s.sums[i].Add(*v[i])
		}
	}
}

// compareScopes checks that all scopes exist, are priced if the state says so, and add up to
// the site.
func (w *walk) compareScopes(r intervalRow, scopes map[string]*scopeSums) {
	site := scopes["ada"]
	if site == nil || site.members != 1 {
		w.scopes.fault("%s: fact_usage has no row for the site", r)
		return
	}
	if kwh := site.sums[busyKWh].Float64() + site.sums[idleKWh].Float64() + site.sums[measuredKWhColumn].Float64(); r.kwh != nil && !close9(kwh, *r.kwh) {
		w.scopes.fault("%s: the site has %v kWh in fact_usage and %v in usage_interval", r, kwh, *r.kwh)
	}
	for _, name := range []string{"ada", "project", "machine", "user"} {
		s := cmp.Or(scopes[name], &scopeSums{})
		if unpriced := r.state == usage.Unpriced; s.unpriced > 0 && s.unpriced < s.members || (s.unpriced > 0) != unpriced {
			w.scopes.fault("%s: is %s, but %d of %d rows of scope %s have no grams", r, r.state, s.unpriced, s.members, name)
			continue
		}
		for i := range s.sums {
			if got, want := s.sums[i].Float64(), site.sums[i].Float64(); !close9(got, want) {
				w.scopes.fault("%s: %s of scope %s add up to %v, but the site has %v", r, summed[i], name, got, want)
				break
			}
		}
	}
}

func sameValues(got, want memberColumns) bool {
	for i := range got {
		if (want[i] != nil) != (got[i] != nil) || want[i] != nil && !close9(*got[i], *want[i]) {
			return false
		}
	}
	return true
}

// close9 reports whether two sums agree to nine digits, which is what is promised of sums.
func close9(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))+1e-15
}
