// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// facts turns one interval's parts into its record, without prices. The record is Empty if
// there is no usage in it.
func facts(set Settings, power Power, interval usage.Interval, readings []attributed, at time.Time) usage.Record {
	rec := usage.Record{
		Interval: interval, State: usage.Unpriced, FetchedAt: at, Coverage: map[string]usage.Coverage{},
		Labels: labels(readings), Queries: set.Source.UsageQueries(interval),
	}
	if set.Workspaces {
		rec.Hosts = []usage.HostFact{} // replaces the usage of hosts that are gone
	}
	rec.PUE, rec.PUEs = pues(set, readings)
	mixed := mixtures(power, readings)
	rating := rater(power, &rec, mixed)
	for _, reading := range readings {
		start := reading.Piece.Start
		all := loads(power, reading.page, reading, rating)
		made := factsOf(power, all, start, rating, rec.PUEAt(start))
		if len(readings) == 1 {
			rec.Facts = made
		} else {
			rec.Facts = append(rec.Facts, made...)
		}
		if set.Workspaces {
			rec.Hosts = append(rec.Hosts, hostsIn(power, all, start, rating, rec.PUEAt(start))...)
		}
		for project, c := range reading.Coverage {
			sum := rec.Coverage[project]
			rec.Coverage[project] = usage.Coverage{Seen: sum.Seen + c.Seen, Capacity: sum.Capacity + c.Capacity}
		}
	}
	if len(rec.Facts) == 0 {
		rec.State = usage.Empty
	}
	rec.Embodied = embodiedRates(set, rec)
	rec.Zones = zones(set, rec, readings)
	rec.Attendance, rec.Hole = usage.Attend(plain(readings)), hole(interval, readings)
	return rec
}

// pues returns the PUE of an interval and, where it is measured, that of each piece. One that is
// not known is what the configuration says.
func pues(set Settings, readings []attributed) (first float64, each []float64) {
	if !set.MeasuresPUE {
		return set.PUE, nil
	}
	each = make([]float64, len(readings))
	for i, r := range readings {
		each[i] = set.PUE
		if r.instruments != nil && r.instruments.PUE != nil {
			each[i] = *r.instruments.PUE
		}
	}
	if len(each) == 0 {
		return set.PUE, nil
	}
	return each[0], each
}

// embodiedRates returns the embodied emissions of each machine type of a record, as far as its
// hardware is known.
func embodiedRates(set Settings, rec usage.Record) map[string]usage.GramsPerCoreHour {
	if set.Embodied == nil {
		return nil
	}
	all := map[string]usage.GramsPerCoreHour{}
	for i := range rec.Facts {
		machine := rec.Facts[i].Machine
		if _, ok := all[machine]; ok {
			continue
		}
		if rate, ok := set.Embodied(machine, rec.Interval); ok {
			all[machine] = rate
		}
	}
	return all
}

// zones compares what meters of the site have measured with what is booked. A zone that was not
// measured throughout is left out: part of its energy would look like something unexplained.
func zones(set Settings, rec usage.Record, readings []attributed) []usage.ZoneFact {
	var all []usage.ZoneFact
	for _, zone := range set.Zones {
		var measured usage.Sum
		known := 0
		for _, r := range readings {
			if r.instruments == nil {
				continue
			}
			for _, z := range r.instruments.Zones {
				if z.Zone == zone.Name {
					measured.Add(float64(z.Energy.KWh()))
					known++
				}
			}
		}
		if known != len(readings) || known == 0 {
			continue
		}
		all = append(all, usage.ZoneFact{Zone: zone.Name, Measured: usage.KWh(measured.Float64()), Booked: zone.booked(rec)})
	}
	return all
}

// booked is the energy of the zone's projects as its meter has it: without PUE, unless the meter
// includes what that stands for.
func (z Zone) booked(rec usage.Record) usage.KWh {
	var sum usage.Sum
	for i := range rec.Facts {
		f := &rec.Facts[i]
		if len(z.Projects) > 0 && !z.Projects[f.Project] {
			continue
		}
		energy := float64(f.Energy.Total())
		if !z.Cooling {
			energy /= rec.PUEAt(f.Start)
		}
		sum.Add(energy)
	}
	return usage.KWh(sum.Float64())
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
		since := []time.Time{r.Since}
		if r.instruments != nil {
			since = append(since, r.instruments.Since)
		}
		for _, from := range since {
			if from.IsZero() || !from.Before(interval.Start) {
				continue
			}
			if h.From.IsZero() || from.Before(h.From) {
				h.From = from
			}
			h.To = r.Piece.End()
		}
	}
	return h
}

// rater returns the power of machine types, given the processors of their hosts, and adds to a
// record each of them with what it was made from.
func rater(power Power, rec *usage.Record, models map[string][]usage.ModelShare) func(machine string) usage.Rating {
	rated := map[string]usage.Rating{}
	rec.Ratings, rec.Models = nil, nil
	return func(machine string) usage.Rating {
		r, ok := rated[machine]
		if !ok {
			r = power.Rating(machine, models[machine])
			rated[machine] = r
			rec.Ratings = append(rec.Ratings, r)
			if mixed := models[machine]; len(mixed) > 0 {
				if rec.Models == nil {
					rec.Models = map[string][]usage.ModelShare{}
				}
				rec.Models[machine] = mixed
			}
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
