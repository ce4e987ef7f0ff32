package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// whose is a reading, and whose it is.
type whose struct {
	usage.Reading
	parts []usage.Part
}

// composed is the record of an interval, and whose its readings are.
type composed struct {
	usage.Record
	whole []whose
}

func records(all []composed) []usage.Record {
	recs := make([]usage.Record, len(all))
	for i, c := range all {
		recs[i] = c.Record
	}
	return recs
}

// compose makes the readings of a run its records, without prices: up to the
// first of which it could not be said whose it is, and then why.
func (s *Spine) compose(ctx context.Context, set Settings, page *page, due []usage.Due, readings []usage.Reading, at time.Time) ([]composed, error) {
	var all []composed
	for _, d := range due {
		n := len(d.Pieces())
		whole, err := s.attribute(ctx, set, page, d, readings[:n])
		if err != nil {
			return all, err
		}
		power, err := set.Power(ctx, d.Start)
		if err != nil {
			return all, err
		}
		all = append(all, composed{facts(set, power, d, whole, at), whole})
		readings = readings[n:]
	}
	return all, nil
}

// patience is how often an interval is asked for again because the server did
// not say when in it time was used. After that it is cut by time.
const patience = 3

// attribute says whose each reading of an interval is. Hosts that change hands
// in it are asked for a second time, minute by minute.
func (s *Spine) attribute(ctx context.Context, set Settings, page *page, d usage.Due, readings []usage.Reading) ([]whose, error) {
	all := make([]whose, len(readings))
	for i, r := range readings {
		var finer map[usage.Series]usage.Profile
		if hands := page.attribution.Handovers(r); len(hands) > 0 {
			began := s.Now()
			profiles, err := set.Source.Profiles(ctx, r.Piece, hands)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s.Witness.Asked(usage.SourcePrometheus, s.Now().Sub(began), err)
			switch {
			case err == nil:
				finer = profiles
			case usage.IsOutage(err) && d.Attempts < patience:
				err = fmt.Errorf("interval %s: look closer at %d hosts that change hands: %w", d, len(hands), err)
				noted := s.Store.Failed(ctx, []usage.Interval{d.Interval}, err, s.Now())
				if noted != nil {
					s.wrote(ctx, noted)
				}
				return nil, errors.Join(err, noted)
			default:
				s.Log.Warn("Cutting by time where hosts change hands", "interval", d, "hosts", len(hands), "err", err)
			}
		}
		all[i] = whose{r, page.attribution.Parts(r, finer)}
	}
	return all, nil
}

// facts turns one interval's parts into its record.
func facts(set Settings, power Power, d usage.Due, readings []whose, at time.Time) usage.Record {
	rec := usage.Record{
		Interval: d.Interval, PUE: set.PUE, FetchedAt: at, Coverage: map[string]usage.Coverage{},
		Again: d.State != usage.Missing && d.State != usage.Empty, Asked: set.Source.Asked(d.Interval),
	}
	if set.Workspaces {
		rec.Hosts = []usage.HostFact{} // what there is no more is not kept
	}
	rated := map[string]usage.Rating{}
	rating := func(machine string) usage.Rating {
		r, ok := rated[machine]
		if !ok {
			r = power.Rating(machine)
			rated[machine] = r
			rec.Ratings = append(rec.Ratings, r)
		}
		return r
	}
	rec.Labels = labels(readings)
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
		if d.State != usage.Empty {
			rec.AskAgain = at.Add(askAgainAfter)
		}
	}
	return rec
}

// labels says which labels the series of each project have.
func labels(readings []whose) map[string]usage.Labels {
	all := map[string]usage.Labels{}
	for _, reading := range readings {
		for _, p := range reading.parts {
			l := usage.Labels{
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

// shares adds parts up by key. Sums are exact, so the order of the parts, which
// is the server's, does not show in them.
func shares(parts []usage.Part) []usage.Share {
	keys, sums := added(parts, func(p usage.Part) usage.Key { return p.Key })
	all := make([]usage.Share, len(keys))
	for i, k := range keys {
		all[i] = usage.Share{Key: k, CPU: sums[i]}
	}
	return all
}

// hosts adds parts up by host and the end of their stretch. Series without a
// host are none's.
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

// added adds the CPU time of parts up by what they have in common, in the order
// in which that is first met.
func added[K comparable](parts []usage.Part, by func(usage.Part) K) ([]K, []usage.BusyIdle[usage.CPUSeconds]) {
	type sum struct{ busy, idle usage.Sum }
	at := map[K]int{}
	var keys []K
	var sums []sum
	for _, p := range parts {
		k := by(p)
		i, ok := at[k]
		if !ok {
			i = len(keys)
			at[k] = i
			keys, sums = append(keys, k), append(sums, sum{})
		}
		sums[i].busy.Add(float64(p.CPU.Busy))
		sums[i].idle.Add(float64(p.CPU.Idle))
	}
	totals := make([]usage.BusyIdle[usage.CPUSeconds], len(sums))
	for i := range sums {
		totals[i] = usage.BusyIdle[usage.CPUSeconds]{
			Busy: usage.CPUSeconds(sums[i].busy.Float64()), Idle: usage.CPUSeconds(sums[i].idle.Float64()),
		}
	}
	return keys, totals
}
