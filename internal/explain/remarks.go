// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// remarks explain in words why there are no numbers, or fewer than expected.
func remarks(k Known, e *Explanation) []string {
	all := append([]string{}, standing(k))
	if k.Attempts > 0 {
		last := fmt.Sprintf("failed attempts: %d; last error: %s", k.Attempts, k.Error)
		if !k.RetryAt.IsZero() {
			last += "; next attempt after " + text(k.RetryAt)
		}
		all = append(all, last)
	}
	if !k.RereadAt.IsZero() {
		all = append(all, "read a second time after "+text(k.RereadAt)+", for data that comes late")
	}
	switch {
	case k.Pruned && k.Remains != nil:
		all = append(all, "its per-key details were deleted by --storage.retention; the total is for the whole project, even if less was asked for")
	case k.Pruned:
		all = append(all, "its per-key details were deleted by --storage.retention, and the project has no usage in it")
	case len(e.Usage) == 0 && len(k.Facts) > 0:
		all = append(all, "no usage matches; "+others(k))
	}
	if slices.ContainsFunc(e.Usage, func(u Usage) bool { return !u.agree() }) {
		all = append(all, "the factors do not multiply to the stored energy: another program has changed the store")
	}
	if slices.ContainsFunc(e.Usage, func(u Usage) bool { return u.User == usage.Unattributed }) {
		all = append(all, "unattributed: the series have no user label, and no record in the directory says who had the machine")
	}
	return all
}

// standing returns the state of the interval and what it means.
func standing(k Known) string {
	switch k.State {
	case usage.Settled:
		return "settled: final; only an explicit restatement changes it"
	case usage.Provisional:
		return "provisional: priced, but restated if a better carbon intensity arrives before it settles"
	case usage.Unpriced:
		return "unpriced: energy is known, but carbon intensity is not, so there are no emissions yet"
	case usage.Empty:
		why := "empty: Prometheus answered without any series, which is not 0"
		if k.Attendance != nil && len(k.Attendance.Doubtful) > 0 {
			why = "empty: Prometheus has hosts, and all of them are refused, so nothing is booked, which is not 0"
		}
		if !k.RetryAt.IsZero() {
			why += "; it is queried once more at " + text(k.RetryAt)
		}
		return why
	}
	state := string(k.State)
	switch {
	case k.Now.Before(k.Interval.End()):
		return state + ": the interval ends at " + text(k.Interval.End())
	case k.State == usage.Missing:
		return "missing: due, and not fetched yet, which is not 0"
	case k.Held == nil:
		return state + ": Prometheus was never asked for it, and the store is empty"
	}
	return fmt.Sprintf("%s: Prometheus was never asked for it; the store has usage from %s to %s, and \"carbontool backfill\" fetches more",
		state, text(k.Held.From), text(k.Held.To))
}

// mostOthers is how many of the other keys are listed.
const mostOthers = 10

// others lists the keys of the project that do have usage.
func others(k Known) string {
	var names []string
	for _, f := range k.Facts {
		if f.Project == k.Key.Project {
			names = append(names, fmt.Sprintf("machine type %s, user %s, group %s", named(f.Machine), named(f.User), named(f.Group)))
		}
	}
	if len(names) == 0 {
		return "the project has no usage in the interval"
	}
	slices.Sort(names)
	names = slices.Compact(names)
	list := "the project has usage for "
	for i, name := range names {
		switch {
		case i == mostOthers:
			return list + fmt.Sprintf("; and %d more", len(names)-mostOthers)
		case i > 0:
			list += "; "
		}
		list += name
	}
	return list
}
