// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gpu is a counter in millijoules, of a device of 200 W and a bit.
func gpu(host, id string) signal {
	return signal{
		labels: map[string]string{"__name__": "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "UUID": id, "modelName": "A \"100\" {80}", "instance": host, "project": "ISIS", "machine": "gpu.large", "user": "ada", "dir": `C:\`},
		value:  func(at time.Duration) float64 { return 5e9 + 200_123*(at+7*24*time.Hour).Seconds() },
		offset: 4 * time.Second,
	}
}

// with changes labels of a signal.
func (s signal) with(labels ...string) signal {
	s.labels = maps.Clone(s.labels)
	for i := 0; i < len(labels); i += 2 {
		s.labels[labels[i]] = labels[i+1]
	}
	return s
}

// begins makes a counter begin at 0 at some times.
func (s signal) begins(at ...time.Duration) signal {
	before := s.value
	s.value = func(t time.Duration) float64 {
		for _, reset := range slices.Backward(at) {
			if t >= reset {
				return 200_123 * (t - reset).Seconds()
			}
		}
		return before(t)
	}
	return s
}

// grown is by how much samples grow from a time on to a time, in joules: from the newest before
// the one, or the first after it, to the newest before the other.
func grown(samples []engine.Sample, from, to time.Duration) (joules float64) {
	a, b := noon.Add(from).UnixMilli(), noon.Add(to).UnixMilli()
	last := math.NaN()
	for _, s := range samples {
		if math.IsNaN(s.V) || s.T > b {
			continue
		}
		switch {
		case s.T <= a || math.IsNaN(last):
			last = s.V
		case s.V < last:
			joules, last = joules+s.V, s.V
		default:
			joules, last = joules+s.V-last, s.V
		}
	}
	return joules / 1000
}

var dcgm = source.Device{Name: "gpu", Unit: 1e-3}

// ada's are the usual labels of a device.
func adas(host string) usage.Series {
	return usage.Series{Project: "ISIS", Machine: "gpu.large", Host: host, User: "ada"}
}

func hole(from, to float64) [2]time.Duration { return [2]time.Duration{minutes(from), minutes(to)} }

// The energies of all pieces add up to the growth of the counters, whatever happens to them; each
// piece is the same if it is read alone, and in any order.
func TestCountersTelescope(t *testing.T) {
	holed := func(s signal, holes ...[2]time.Duration) signal { s.holes = holes; return s }
	lives := func(s signal, from, to float64) signal { s.from, s.to = minutes(from), minutes(to); return s }
	silent := func(s signal) signal { s.silent = true; return s }
	for _, c := range []struct {
		name   string
		signal signal
		pieces []bool // in which it is there; nil: all
		since  []int  // the pieces in which a hole from an earlier one ends
	}{
		{"a counter", gpu("a", "1"), nil, nil},
		{"scraped each minute", signal{labels: gpu("a", "1").labels, value: gpu("a", "1").value, every: time.Minute, offset: 31 * time.Second}, nil, nil},
		{"begins again", gpu("a", "1").begins(minutes(40)), nil, nil},
		{"begins again and again", gpu("a", "1").begins(minutes(40), minutes(44), minutes(52), minutes(100)), nil, nil},
		{"begins again at an edge", gpu("a", "1").begins(minutes(60)), nil, nil},
		{"begins again from little and grows on", gpu("a", "1").begins(minutes(29), minutes(31)), nil, nil},
		{"is born", lives(gpu("a", "1"), 40, 0), []bool{false, true, true, true, true, true}, nil},
		{"dies", lives(gpu("a", "1"), 0, 70), []bool{true, true, true, false, false, false}, nil},
		{"dies without a word", silent(lives(gpu("a", "1"), 0, 70)), []bool{true, true, true, false, false, false}, nil},
		{"dies at an edge", silent(lives(gpu("a", "1"), 0, 60)), []bool{true, true, false, false, false, false}, nil},
		{"lives within a piece", lives(gpu("a", "1"), 32, 55), []bool{false, true, false, false, false, false}, nil},
		{"lives within a piece and begins again", lives(gpu("a", "1").begins(minutes(45)), 32, 55), []bool{false, true, false, false, false, false}, nil},
		{"lives over an edge", lives(gpu("a", "1"), 50, 70), []bool{false, true, true, false, false, false}, nil},
		{"a hole within a piece", holed(gpu("a", "1"), hole(35, 50)), nil, nil},
		{"a hole over an edge", holed(gpu("a", "1"), hole(50, 70)), nil, []int{2}},
		{"a silent hole over an edge", silent(holed(gpu("a", "1"), hole(50, 70))), nil, []int{2}},
		{"a hole of more than a piece", holed(gpu("a", "1"), hole(50, 130)), nil, []int{4}},
		{"two holes", holed(gpu("a", "1"), hole(20, 40), hole(80, 100)), nil, []int{1, 3}},
		{"seen shortly between two holes", holed(gpu("a", "1"), hole(20, 70), hole(75, 100)), nil, []int{2, 3}},
		{"a hole in which it begins again", holed(gpu("a", "1").begins(minutes(60)), hole(50, 70)), nil, []int{2}},
		{"a hole from before", holed(gpu("a", "1"), hole(-600, 50)), nil, []int{1}},
		{"a hole until after", holed(gpu("a", "1"), hole(130, 400)), nil, nil},
		{"a hole of more than a day", holed(gpu("a", "1"), hole(-25*60, 50)), []bool{false, true, true, true, true, true}, nil},
		{"reborn within a piece", holed(lives(gpu("a", "1"), 20, 0), hole(33, 40), hole(44, 47)), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.signal
			if s.every == 0 {
				s.every = 15 * time.Second
			}
			from, to := minutes(-27*60), minutes(9*60)
			w := newWorld(t, from, to, s, gpu("b", "2"))
			d := dcgm
			d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
			w.client.Query.Instruments.Devices = []source.Device{d}
			all, rejects := w.read(t, run(30*time.Minute, 6))
			sum, there := 0.0, 0
			for i, piece := range all {
				j, is := devices(piece)[adas("a")]
				sum += j
				if is {
					there++
				}
				if want := c.pieces == nil || c.pieces[i]; is != want {
					t.Errorf("piece %d: there is %v, want %v", i, is, want)
				}
				if j < 0 || j > 201*1900+7*24*3600*201 {
					t.Errorf("piece %d: %v J", i, j)
				}
				if want := slices.Contains(c.since, i); want == piece.Since.IsZero() {
					t.Errorf("piece %d: since %v", i, piece.Since)
				}
				if !piece.Since.IsZero() && !piece.Since.Before(piece.Piece.Start) {
					t.Errorf("piece %d: since %v", i, piece.Since)
				}
				if b := devices(piece)[adas("b")]; !near(b, 200.123*1800, 1e-9) {
					t.Errorf("piece %d: its neighbour has %v J", i, b)
				}
			}
			want := grown(s.samples(from, to), 0, minutes(180))
			switch {
			case strings.Contains(c.name, "from before"): // 50 minutes of 650 of the hole
				want = 200.123 * 180 * 60
			case strings.Contains(c.name, "until after"):
				want = 200.123 * 180 * 60
			case strings.Contains(c.name, "more than a day"):
				want = 200.123 * (129*60 + 56 - 4 + 4 - 8)
			}
			tolerance := 1e-9
			if strings.Contains(c.name, "before") || strings.Contains(c.name, "after") || strings.Contains(c.name, "more than a day") {
				tolerance = 0.003
			}
			if !near(sum, want, tolerance) {
				t.Errorf("%v J in all, want %v J", sum, want)
			}
			if len(rejects) > 0 || len(all[5].Remarks) > 0 {
				t.Errorf("rejects %v, remarks %q", rejects, all[5].Remarks)
			}
		})
	}
}

// A hole is spread evenly.
func TestAHoleIsSpreadEvenly(t *testing.T) {
	s := gpu("a", "1")
	s.holes = [][2]time.Duration{hole(20, 100)}
	value := s.value
	s.value = func(at time.Duration) float64 { // all of it in the last ten minutes of the hole
		if at > minutes(20) && at < minutes(90) {
			at = minutes(20)
		}
		return value(at)
	}
	w := newWorld(t, minutes(-30), minutes(185), s)
	d := dcgm
	d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
	w.client.Query.Instruments.Devices = []source.Device{d}
	all, _ := w.read(t, run(30*time.Minute, 6))
	for i := range all {
		if j := devices(all[i])[adas("a")]; !near(j, 200.123*1800, 0.007) { // a sample at an edge is 11 s old
			t.Errorf("piece %d: %v J", i, j)
		}
	}
	if got, want := all[3].Since, noon.Add(minutes(20)-11*time.Second); !got.Equal(want) {
		t.Errorf("since %v, want %v", got, want)
	}
}

// What is read while the other end of a hole is not there yet, and again when it is, adds up.
func TestAHoleThatIsStillOpen(t *testing.T) {
	s := gpu("a", "1")
	s.holes = [][2]time.Duration{hole(50, 100)}
	w := newWorld(t, minutes(-30), minutes(95), s)
	d := dcgm
	d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
	w.client.Query.Instruments.Devices = []source.Device{d}
	all, _ := w.read(t, run(30*time.Minute, 3))
	if j := devices(all[1])[adas("a")]; !near(j, 200.123*60*20, 0.02) {
		t.Errorf("until it was last seen it used %v J", j)
	}
	if _, there := devices(all[2])[adas("a")]; there || !all[2].Since.IsZero() {
		t.Errorf("there in the hole: %+v", all[2])
	}
}
