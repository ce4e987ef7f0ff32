// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package learning

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// longestAsked is the longest range of one query, where the server allows it. It is short,
	// because an answer has all hosts of the site.
	longestAsked = 6 * time.Hour
	// mostObservations of one machine type bound the memory to about 100 MB. More hosts than
	// that would not make the fit better: the errors of those that are there count.
	mostObservations = 300_000
)

// ErrNoInterval means that the period of a lesson is shorter than one interval.
var ErrNoInterval = errors.New("the range contains no complete interval")

// Read is what Prometheus has of a period.
type Read struct {
	Fleet  *calibrate.Fleet
	Faults []Fault
	Left   usage.Rejects // measurements that are none

	wrong []error // by meter: why it is not asked any more
}

// Read asks for both sides, a few hours at a time: for the CPU time of all hosts, and once for each
// meter. A meter that Prometheus does not understand is a fault, and is not asked again.
func (l Lesson) Read(ctx context.Context) (*Read, error) {
	grain := l.Client.Grain(time.Duration(l.Config.Interval))
	wanted := Within(l.Period, grain)
	if len(wanted) == 0 {
		return nil, ErrNoInterval
	}
	meters := l.Config.Power.Measured
	r := &Read{
		Fleet: &calibrate.Fleet{Grain: grain, Most: max(mostObservations/len(wanted), 1)},
		Left:  usage.Rejects{}, wrong: make([]error, len(meters)),
	}
	for _, m := range meters {
		r.Fleet.Meters = append(r.Fleet.Meters, calibrate.Meter{Name: m.Name, Error: m.Error})
	}
	most := max(int(longestAsked/grain), 1)
	for len(wanted) > 0 {
		run := wanted[:min(most, len(wanted))]
		switch err := l.ask(ctx, run, r); {
		case err != nil && len(run) > 1 && usage.IsTooLarge(err):
			most = (len(run) + 1) / 2
			continue
		case err != nil:
			return nil, err
		}
		wanted = wanted[len(run):]
		if l.Told != nil {
			l.Told(ctx, len(run), run[len(run)-1].End())
		}
	}
	for n, m := range meters {
		f := Fault{Index: n, Name: m.Name, Err: r.wrong[n]}
		if f.Err == nil {
			f.Err = r.Fleet.Fault(n)
		}
		if f.Err != nil {
			r.Faults = append(r.Faults, f)
		}
	}
	return r, nil
}

// ask queries some adjacent intervals. Where nothing was measured, CPU time is of no use.
func (l Lesson) ask(ctx context.Context, run []usage.Interval, r *Read) error {
	meters := l.Config.Power.Measured
	power, left, some := make([][]usage.Measurement, len(meters)), usage.Rejects{}, false
	for n, m := range meters {
		if r.wrong[n] != nil {
			continue
		}
		all, refused, err := l.Client.OfHosts(m.Hosts).Measured(ctx, run, m.Query)
		if f := usage.FailureOf(err); f != nil && f.Reason == usage.ReasonBadRequest {
			r.wrong[n] = fmt.Errorf("is a query that Prometheus rejects: %s", f.Detail)
			continue
		}
		if err != nil {
			return fmt.Errorf("power.measured[%d] (%s): %w", n, m.Name, err)
		}
		left.Add(refused)
		power[n], some = all, some || len(all) > 0
	}
	var readings []usage.Reading
	if some {
		made, _, err := l.Client.Read(ctx, run)
		if err != nil {
			return err
		}
		readings = made.All()
	}
	r.Left.Add(left)
	r.Fleet.Add(readings, power)
	return nil
}

// Within lists the whole intervals of a period.
func Within(p usage.Period, length time.Duration) (all []usage.Interval) {
	i := usage.IntervalAt(p.From, length)
	if i.Start.Before(p.From) {
		i = i.Next()
	}
	for ; !i.End().After(p.To); i = i.Next() {
		all = append(all, i)
	}
	return all
}
