// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/cloud"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// history is how far back the site is recorded.
const history = 14 * time.Hour

// site is a simulated cloud in a real Prometheus, recorded up to beyond now:
// tests may run over the border of a half hour.
type site struct {
	cloud    *simulate.Cloud
	engine   *engine.Engine
	from, to time.Time // recorded
}

// seed makes the first four hosts live all the time, and the first two differ in
// the number of their cores: 2, 4, 4 and 4.
const seed = 958

func openSite(hosts int, o engine.Options) (*site, error) {
	now := usage.SlotAt(time.Now())
	c, err := simulate.New(simulate.Config{Seed: seed, Hosts: hosts, Start: now.Add(-48 * time.Hour), End: now.Add(14 * 24 * time.Hour)})
	if err != nil {
		return nil, err
	}
	e, err := engine.Open(o)
	if err != nil {
		return nil, err
	}
	s := &site{cloud: c, engine: e, from: now.Add(-history), to: now.Add(time.Hour)}
	recorder := cloud.NewRecorder(c, e, time.Minute)
	recorder.Sharp = true
	return s, recorder.Record(background, s.from, s.to)
}

func newSite(t *testing.T, hosts int, o engine.Options) *site {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := openSite(hosts, o)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, s.engine)
	return s
}

// newEngine is a Prometheus that has nothing yet.
func newEngine(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.Open(engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, e)
	return e
}

func closeLater(t *testing.T, e *engine.Engine) {
	t.Helper()
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// shared is the site of most tests, recorded when the first of them wants it.
var shared = sync.OnceValues(func() (*site, error) {
	return openSite(12, engine.Options{Dir: filepath.Join(scratch, "tsdb")})
})

func sharedSite(t *testing.T) *site {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settings are what a test chooses of the configuration.
type settings struct {
	prometheus string
	uk         string
	intensity  string        // the lines of the section carbon_intensity, in place of uk
	settle     time.Duration // settle_after; 3h if zero
	more       string        // more lines
	section    string        // more lines of the section prometheus
	attribute  string        // of the section attribution
}

// span is what an empty store begins with and how far it is filled now.
type span struct {
	first, end time.Time
	interval   time.Duration
	lag        time.Duration
	lookback   time.Duration
}

// spanOf chooses lookback and lag so that the span stays as it is for half an
// interval, whenever a test runs.
func spanOf(interval, length time.Duration) span {
	now := time.Now().UTC()
	s := span{interval: interval, end: usage.FloorEpoch(now, interval)}
	s.first = s.end.Add(-length)
	s.lookback = now.Sub(s.first.Add(interval / 2)).Truncate(time.Second)
	if s.end.Add(interval).Sub(now) < interval/2 {
		s.lag = interval / 2
	}
	return s
}

func (s span) intervals() (all []usage.Interval) {
	for at := s.first; at.Before(s.end); at = at.Add(s.interval) {
		all = append(all, usage.Interval{Start: at, Length: s.interval})
	}
	return all
}

const pue = 1.2

// watts are those of the configuration below.
func watts(machine string) usage.BusyIdle[float64] {
	switch machine {
	case "Muon":
		return usage.BusyIdle[float64]{Busy: 9.5, Idle: 1.25}
	case "Laue":
		return usage.BusyIdle[float64]{Busy: 20, Idle: 1}
	}
	return usage.BusyIdle[float64]{Busy: 12, Idle: 1}
}

func group(project string) string {
	switch project {
	case "IDAaaS", "CLF":
		return "Facilities"
	}
	return project
}

// yaml is the configuration of a test.
func (s settings) yaml(over span) string {
	if s.settle == 0 {
		s.settle = 3 * time.Hour
	}
	if s.attribute == "" {
		s.attribute = "group_by: project, groups: [{name: Facilities, projects: [IDAaaS, CLF]}]"
	}
	if s.intensity == "" {
		s.intensity = "  uk: {url: " + s.uk + "}"
	}
	return fmt.Sprintf(`interval: %ds
lookback: %ds
settle_after: %ds
prometheus:
  url: %s
  lag: %ds
%s
power:
  busy_watts: 12
  idle_watts: 1
  pue: %v
  machines:
    Muon: {busy_watts: 9.5, idle_watts: 1.25}
    Laue: {busy_watts: 20}
carbon_intensity:
%s
attribution: {%s}
%s
`, int(over.interval.Seconds()), int(over.lookback.Seconds()), int(s.settle.Seconds()), s.prometheus, int(over.lag.Seconds()), s.section,
		pue, s.intensity, s.attribute, s.more)
}

// place is the directory of one exporter.
type place struct{ config, store string }

func (s settings) place(t *testing.T, over span) place {
	t.Helper()
	dir := t.TempDir()
	p := place{config: filepath.Join(dir, "carbon.yml"), store: filepath.Join(dir, "data", "carbon.db")}
	write(t, p.config, s.yaml(over))
	return p
}

func (p place) args() []string {
	return []string{"--config.file=" + p.config, "--storage.path=" + p.store}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// amount is the usage of somebody, in some time.
type amount struct {
	CPU   usage.BusyIdle[float64]
	KWh   usage.BusyIdle[float64]
	Grams usage.BusyIdle[float64]
}

func (a amount) columns() [6]float64 {
	return [6]float64{a.CPU.Busy, a.CPU.Idle, a.KWh.Busy, a.KWh.Idle, a.Grams.Busy, a.Grams.Idle}
}

func (a amount) plus(o amount) amount {
	return amount{CPU: a.CPU.Plus(o.CPU), KWh: a.KWh.Plus(o.KWh), Grams: a.Grams.Plus(o.Grams)}
}

// book is the truth: who used what, by the start of the interval.
type book map[time.Time]map[usage.Key]amount

// truth works the amounts out in its own words, from the rates of the simulation
// and the numbers of the configuration. No interval here is longer than a slot.
func truth(c *simulate.Cloud, over span, price func(time.Time) usage.GramsPerKWh) book {
	return worked(over, price, c.Truth, func(s usage.Series) string { return group(s.Project) })
}

// spent is who spent how much CPU time in an interval.
type spent func(usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds]

func worked(over span, price func(time.Time) usage.GramsPerKWh, spent spent, group func(usage.Series) string) book {
	all := book{}
	for _, interval := range over.intervals() {
		keys := map[usage.Key]amount{}
		for series, cpu := range spent(interval) {
			key := usage.Key{Project: series.Project, Machine: series.Machine, User: series.User, Group: group(series)}
			if key.User == "" {
				key.User = "unattributed"
			}
			w, grams := watts(series.Machine), float64(price(interval.Start))
			busy, idle := float64(cpu.Busy)*w.Busy*pue/3.6e6, float64(cpu.Idle)*w.Idle*pue/3.6e6
			keys[key] = keys[key].plus(amount{
				CPU:   usage.BusyIdle[float64]{Busy: float64(cpu.Busy), Idle: float64(cpu.Idle)},
				KWh:   usage.BusyIdle[float64]{Busy: busy, Idle: idle},
				Grams: usage.BusyIdle[float64]{Busy: busy * grams, Idle: idle * grams},
			})
		}
		all[interval.Start] = keys
	}
	return all
}

// total adds up all time.
func (b book) total() map[usage.Key]amount {
	sums := map[usage.Key]amount{}
	for _, keys := range b {
		for key, a := range keys {
			sums[key] = sums[key].plus(a)
		}
	}
	return sums
}

// near says whether two numbers are the same but for a relative difference.
func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Abs(want)
}
