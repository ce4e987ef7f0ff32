package ingest

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// facts turns one interval's parts into its record, without prices. The record is Empty if
// there is no usage in it.
func facts(set Settings, power Power, interval usage.Interval, readings []attributed, at time.Time) usage.Record {
	rec := usage.Record{
		Interval: interval, State: usage.Unpriced, PUE: set.PUE, FetchedAt: at, Coverage: map[string]usage.Coverage{},
		Labels: labels(readings), Queries: set.Source.UsageQueries(interval),
	}
	if set.Workspaces {
		rec.Hosts = []usage.HostFact{} // replaces the usage of hosts that are gone
	}
	rating := rater(power, &rec)
	for _, reading := range readings {
		for _, share := range shares(reading.parts) {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: share.Key, Start: reading.Piece.Start, CPU: share.CPU, Energy: power.Energy(rating(share.Machine), share.CPU),
			})
		}
		if set.Workspaces {
			for _, h := range hosts(reading.parts) {
				h.Start, h.Energy = reading.Piece.Start, power.Energy(rating(h.Machine), h.CPU)
				rec.Hosts = append(rec.Hosts, h)
			}
		}
		for project, c := range reading.Coverage {
			sum := rec.Coverage[project]
			rec.Coverage[project] = usage.Coverage{Seen: sum.Seen + c.Seen, Capacity: sum.Capacity + c.Capacity}
		}
	}
	if len(rec.Facts) == 0 {
		rec.State = usage.Empty
	}
	rec.Attendance, rec.Hole = usage.Attend(plain(readings)), hole(interval, readings)
	return rec
}

func plain(readings []attributed) []usage.Reading {
	all := make([]usage.Reading, len(readings))
	for i, r := range readings {
		all[i] = r.Reading
	}
	return all
}

// hole is the longest hole that ends in an interval and began in an earlier one; zero: none.
func hole(interval usage.Interval, readings []attributed) (h usage.Period) {
	for _, r := range readings {
		if r.Since.IsZero() || !r.Since.Before(interval.Start) {
			continue
		}
		if h.From.IsZero() || r.Since.Before(h.From) {
			h.From = r.Since
		}
		h.To = r.Piece.End()
	}
	return h
}

// rater returns the power of machine types, and adds each to a record.
func rater(power Power, rec *usage.Record) func(machine string) usage.Rating {
	rated := map[string]usage.Rating{}
	return func(machine string) usage.Rating {
		r, ok := rated[machine]
		if !ok {
			r = power.Rating(machine)
			rated[machine] = r
			rec.Ratings = append(rec.Ratings, r)
		}
		return r
	}
}

// labels returns which labels the series of each project have.
func labels(readings []attributed) map[string]usage.LabelPresence {
	all := map[string]usage.LabelPresence{}
	for _, reading := range readings {
		for _, p := range reading.parts {
			l := usage.LabelPresence{
				Project: p.Series.Project != usage.Unknown, Machine: p.Series.Machine != usage.Unknown,
				Host: p.Series.Host != usage.Unknown, User: p.Series.User != "",
			}
			if so, ok := all[p.Key.Project]; ok {
				l = so.And(l)
			}
			all[p.Key.Project] = l
		}
	}
	return all
}

// shares adds up parts by key. Sums are exact, so the order of the parts, which is the
// server's, does not matter.
func shares(parts []usage.Part) []usage.Share {
	keys, sums := added(parts, func(p usage.Part) usage.Key { return p.Key })
	all := make([]usage.Share, len(keys))
	for i, k := range keys {
		all[i] = usage.Share{Key: k, CPU: sums[i]}
	}
	return all
}

// hosts adds up parts by host and the end of their stretch. Series without a host are left out.
func hosts(parts []usage.Part) []usage.HostFact {
	parts = slices.DeleteFunc(slices.Clone(parts), func(p usage.Part) bool { return p.Series.Host == usage.Unknown })
	type stretch struct {
		host, machine string
		until         time.Time
	}
	keys, sums := added(parts, func(p usage.Part) stretch { return stretch{p.Series.Host, p.Key.Machine, p.To} })
	all := make([]usage.HostFact, len(keys))
	for i, k := range keys {
		all[i] = usage.HostFact{Host: k.host, Machine: k.machine, Until: k.until, CPU: sums[i]}
	}
	return all
}

// added adds up the CPU time of parts by a common key, in the order in which the keys first
// appear.
func added[K comparable](parts []usage.Part, by func(usage.Part) K) ([]K, []usage.BusyIdle[usage.CPUSeconds]) {
	at := map[K]int{}
	var keys []K
	var sums []usage.BusyIdleSum[usage.CPUSeconds]
	for _, p := range parts {
		k := by(p)
		i, ok := at[k]
		if !ok {
			i = len(keys)
			at[k] = i
			keys, sums = append(keys, k), append(sums, usage.BusyIdleSum[usage.CPUSeconds]{})
		}
		sums[i].Add(p.CPU)
	}
	totals := make([]usage.BusyIdle[usage.CPUSeconds], len(sums))
	for i := range sums {
		totals[i] = sums[i].BusyIdle()
	}
	return keys, totals
}
