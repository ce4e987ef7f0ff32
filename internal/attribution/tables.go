// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// A directory's tables are sorted by what identifies a row.

func compareTenures(a, b directory.Tenure) int {
	return cmp.Or(cmp.Compare(a.Document, b.Document), a.From.Compare(b.From))
}

func comparePeople(a, b directory.Person) int { return cmp.Compare(a.ID, b.ID) }

func comparePlacements(a, b directory.Placement) int { return cmp.Compare(a.Host, b.Host) }

func compareMemberships(a, b directory.Membership) int {
	return cmp.Or(comparePairs(a, b), a.From.Compare(b.From))
}

func comparePairs(a, b directory.Membership) int {
	return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Group, b.Group))
}

func breakTiesOfPeople(a, b directory.Person) int { return cmp.Compare(a.Name, b.Name) }

func breakTiesOfPlacements(a, b directory.Placement) int {
	return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Machine, b.Machine))
}

func breakTiesOfNames(a, b directory.Name) int { return cmp.Compare(a.Name, b.Name) }

// sorted returns the rows in order: the slice itself if they already are.
func sorted[T any](rows []T, order func(a, b T) int) []T {
	if slices.IsSortedFunc(rows, order) {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, order)
	return rows
}

// latest returns the rows read that differ from the known ones. Of several with the same
// identity it takes the first by tie, so that duplicates do not alternate from reading to
// reading; a row without identity is left out.
func latest[T comparable](known, read []T, order, tie func(a, b T) int) []T {
	read = sorted(read, func(a, b T) int {
		if c := order(a, b); c != 0 {
			return c
		}
		return tie(a, b)
	})
	var changed []T
	var nothing T
	for i, row := range read {
		if order(row, nothing) == 0 || i > 0 && order(row, read[i-1]) == 0 {
			continue
		}
		if at, found := slices.BinarySearchFunc(known, row, order); !found || known[at] != row {
			changed = append(changed, row)
		}
	}
	return changed
}

// merged returns a table with some rows replaced or added.
func merged[T any](known, changed []T, order func(a, b T) int) []T {
	if len(changed) == 0 {
		return known
	}
	all := slices.Concat(changed, known)
	slices.SortStableFunc(all, order)
	return slices.CompactFunc(all, func(a, b T) bool { return order(a, b) == 0 })
}

// rewritten returns the tenures with those of some documents replaced.
func rewritten(known, changed []directory.Tenure) []directory.Tenure {
	switch {
	case len(changed) == 0:
		return known
	case len(known) == 0:
		return changed
	}
	documents := map[string]bool{}
	for _, t := range changed {
		documents[t.Document] = true
	}
	all := make([]directory.Tenure, 0, len(known)+len(changed))
	for _, t := range known {
		if !documents[t.Document] {
			all = append(all, t)
		}
	}
	all = append(all, changed...)
	slices.SortFunc(all, compareTenures)
	return all
}
