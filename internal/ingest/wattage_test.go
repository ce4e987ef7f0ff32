// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// watcher sees intervals of a bench, and keeps what is said.
type watcher struct {
	*wattage
	lines []string
	page  noticed
	now   time.Time
}

func newWatcher() *watcher {
	w := &watcher{page: noticed{about: map[usage.Topic]string{}}, now: start}
	log := told(&w.lines)
	w.wattage = &wattage{notices: w.page, log: log, said: &notices{log: log, clock: at{func() time.Time { return w.now }}}}
	return w
}

func (w *watcher) sees(b *bench) {
	r := b.record()
	parts := attributed{instruments: &b.instruments}
	for _, s := range b.samples {
		parts.parts = append(parts.parts, usage.Part{Series: s.Series})
	}
	w.see(b.set, &composed{Record: r, readings: []attributed{parts}})
}

func TestWhereWattsComeFromIsSaid(t *testing.T) {
	b := newBench()
	b.set.Unrated = usage.Unrated{Why: "their hosts do not say their processor", Do: "run node_exporter with --collector.cpu.info"}
	for n := range 6 {
		b.samples = append(b.samples, ofHost(fmt.Sprint("b", n), fmt.Sprint("type-", n), 1, 1))
	}
	b.model.Processor = func(model string, _ int) (usage.Rating, bool) {
		return usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 4, Idle: 1}}, model == "lean"
	}
	w := newWatcher()
	w.sees(b)
	for _, want := range []string{
		`level=INFO msg="Rated machine types" types=7 sources="7 by default"`,
		`level=WARN msg="Machine types have the default watts, which may be wrong by a factor of two or three" types=7 some="Muon, type-0, type-1, type-2, type-3" why="their hosts do not say their processor" do="run node_exporter with --collector.cpu.info"`,
	} {
		if !strings.Contains(strings.Join(w.lines, "\n"), want) {
			t.Errorf("nobody says %s:\n%s", want, strings.Join(w.lines, "\n"))
		}
	}
	for range 47 {
		w.now = w.now.Add(30 * time.Minute)
		w.sees(b)
	}
	if len(w.lines) != 2 {
		t.Errorf("said in a day:\n%s", strings.Join(w.lines, "\n"))
	}
	b.instruments.Models = map[string][]usage.ModelShare{"a:9100": {{Model: "lean", Share: 1}}, "b0": {{Model: "QEMU Virtual CPU", Share: 1}}}
	w.lines = nil
	w.sees(b)
	for _, want := range []string{
		`msg="Rated machine types" types=7 sources="1 by processor, 6 by default"`,
		`types=1 some=type-0 why="nobody knows the processors that their hosts name" processors="QEMU Virtual CPU"`,
	} {
		if !strings.Contains(strings.Join(w.lines, "\n"), want) {
			t.Errorf("after a change nobody says %s:\n%s", want, strings.Join(w.lines, "\n"))
		}
	}
}

func TestMetersThatMeasureLittle(t *testing.T) {
	for _, c := range []struct {
		name  string
		power map[string]usage.Metering
		line  string // empty: nothing
		page  string
	}{
		{"all of the time, by another port", map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: 1, Covered: 1}}, "", ""},
		{"half of the time", map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: 1, Covered: 0.5}}, "", ""},
		{
			"less",
			map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: 1, Covered: 0.4}},
			`msg="A meter covers less than half of the time of its machines, and the model counts for the rest" meter=ipmi machines=1 covered="40 %"`,
			"The meter ipmi covers 40 % of the time of its machines",
		},
		{"nothing", nil, `msg="A meter measures no machine that has CPU time, and the model counts in its place" meter=ipmi why="its query measures nothing`, "The meter ipmi measures no machine that has CPU time"},
		{
			"hosts by other names",
			map[string]usage.Metering{"bmc-a": {Meter: "ipmi", Energy: 1, Covered: 1}},
			`it_has=bmc-a machines_are=a:9100 do="set hosts of this meter to the label that has the machine's name"`, "its hosts have no CPU time, by these names",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, w := newBench(), newWatcher()
			b.set.Meters, b.instruments.Power = []string{"ipmi"}, c.power
			for range 48 {
				w.sees(b)
				w.now = w.now.Add(29 * time.Minute)
			}
			var said []string
			for _, line := range w.lines {
				if strings.Contains(line, "meter=") {
					said = append(said, line)
				}
			}
			if c.line == "" && len(said)+len(w.page.about[usage.TopicPower]) > 0 {
				t.Errorf("%s, and on the page %q", said, w.page.about[usage.TopicPower])
			}
			if c.line != "" && (len(said) != 1 || !strings.Contains(said[0], c.line) || !strings.Contains(w.page.about[usage.TopicPower], c.page)) {
				t.Errorf("%q, and on the page %q", said, w.page.about[usage.TopicPower])
			}
			b.instruments.Power = map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: 1, Covered: 1}}
			w.sees(b)
			if w.page.about[usage.TopicPower] != "" {
				t.Errorf("it measures again, and the page says %q", w.page.about[usage.TopicPower])
			}
		})
	}
}
