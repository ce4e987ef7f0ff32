package explain

import (
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// remarks say in words what the numbers do not: why there are none, or fewer than
// might be thought.
func remarks(k Known, e *Explanation) []string {
	all := append([]string{}, standing(k))
	if k.Attempts > 0 {
		last := fmt.Sprintf("%d attempts to get it have failed, the last with: %s", k.Attempts, k.Error)
		if !k.RetryAt.IsZero() {
			last += "; not tried again before " + text(k.RetryAt)
		}
		all = append(all, last)
	}
	switch {
	case k.Pruned && k.Remains != nil:
		all = append(all, "its facts at the grain of keys are not kept any more; the total is that of the project, whatever else was asked for")
	case k.Pruned:
		all = append(all, "its facts at the grain of keys are not kept any more, and the project has no usage in it")
	case len(e.Usage) == 0 && len(k.Facts) > 0:
		all = append(all, "nothing was used by what was asked for; "+others(k))
	}
	if slices.ContainsFunc(e.Usage, func(u Usage) bool { return !u.agree() }) {
		all = append(all, "the factors do not multiply to the energy that is stored: something else has changed the store")
	}
	if slices.ContainsFunc(e.Usage, func(u Usage) bool { return u.User == usage.Unattributed }) {
		all = append(all, "unattributed: no label of the series names a user, and no record of the directory says who had the machine")
	}
	return all
}

// standing says what state the interval is in and what that means.
func standing(k Known) string {
	switch k.State {
	case usage.Settled:
		return "settled: final, only a restatement that somebody asks for changes it"
	case usage.Provisional:
		return "provisional: priced, and restated if a better carbon intensity is known before it settles"
	case usage.Unpriced:
		return "unpriced: its energy is known and the carbon intensity of its time is not, so there are no emissions yet"
	case usage.Empty:
		why := "empty: Prometheus answered and had no series, which is not 0"
		if !k.RetryAt.IsZero() {
			why += "; it is asked once more at " + text(k.RetryAt)
		}
		return why
	}
	switch {
	case k.Now.Before(k.Interval.End()):
		return "missing: it is not over before " + text(k.Interval.End())
	case k.Held == nil:
		return "missing: it was not fetched, and the store has no usage at all"
	}
	return fmt.Sprintf("missing: it was not fetched; the store has usage of %s to %s", text(k.Held.From), text(k.Held.To))
}

// mostOthers is how many of the keys of an interval are named.
const mostOthers = 10

// others names what there is instead, of the project if it used anything.
func others(k Known) string {
	var names []string
	for _, f := range k.Facts {
		if f.Project == k.Key.Project {
			names = append(names, fmt.Sprintf("machine type %s, user %s, group %s", printable(f.Machine), printable(f.User), printable(f.Group)))
		}
	}
	if len(names) == 0 {
		return "the project has no usage in the interval"
	}
	slices.Sort(names)
	names = slices.Compact(names)
	list := "the project has usage of "
	for i, name := range names {
		switch {
		case i == mostOthers:
			return list + fmt.Sprintf("; and of %d more", len(names)-mostOthers)
		case i > 0:
			list += "; "
		}
		list += name
	}
	return list
}
