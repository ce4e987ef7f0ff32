// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAnOutageIsToldOnceAnHourAndWhenItEnds(t *testing.T) {
	var lines []string
	now := start
	page := noticed{about: map[usage.Topic]string{}}
	o := newOutages(page, at{func() time.Time { return now }}, told(&lines)).prometheus
	refused := &usage.Failure{Reason: usage.ReasonConnection, Cause: "nothing listens at p:9090: check that the server runs", Err: errors.New("connection refused")}
	o.over() // there is none
	for range 2*60 + 30 {
		o.fail(refused, "http://p:9090")
		now = now.Add(time.Minute)
	}
	if want := "Prometheus cannot be read: nothing listens at p:9090: check that the server runs. Meanwhile, nothing is lost as long as Prometheus keeps it: usage is fetched later."; page.about[usage.TopicPrometheus] != want {
		t.Errorf("the page says %q, want %q", page.about[usage.TopicPrometheus], want)
	}
	o.fail(&usage.Failure{Reason: usage.ReasonAuth, Status: 401}, "http://p:9090")
	o.fail(refused, "http://p:9090")
	o.gain(3)
	o.gain(2)
	o.over()
	o.over()
	const rest = `url=http://p:9090 cause="nothing listens at p:9090: check that the server runs" ` +
		`meanwhile="nothing is lost as long as Prometheus keeps it: usage is fetched later" ` +
		`err="connection: connection refused"`
	want := []string{
		`level=ERROR msg="Prometheus cannot be read" ` + rest,
		`level=ERROR msg="Prometheus still cannot be read" for=1h0m0s ` + rest,
		`level=ERROR msg="Prometheus still cannot be read" for=2h0m0s ` + rest,
		`level=ERROR msg="Prometheus still cannot be read" url=http://p:9090 cause="auth: http status 401" ` +
			`meanwhile="nothing is lost as long as Prometheus keeps it: usage is fetched later"`,
		`level=INFO msg="Prometheus can be read again" lasted=2h30m0s intervals_fetched=5`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if page.about[usage.TopicPrometheus] != "" {
		t.Errorf("after its end the page says %q", page.about[usage.TopicPrometheus])
	}

	lines = nil
	o.fail(refused, "")
	now = now.Add(-24 * time.Hour) // the clock ran ahead
	o.fail(refused, "")
	o.over()
	if len(lines) != 3 || !strings.Contains(lines[1], "for=0s") || !strings.Contains(lines[2], "lasted=0s intervals_fetched=0") {
		t.Errorf("when the clock is set back:\n%s", strings.Join(lines, "\n"))
	}
}

func TestAnErrorIsOfTheUpstreamOrOfTheStore(t *testing.T) {
	theirs, ours := &usage.Failure{Reason: usage.ReasonServer}, errors.New("disk full")
	for _, c := range []struct {
		name       string
		err        error
		prometheus bool
		store      bool
	}{
		{"the upstream", joined(theirs), true, false},
		{"the store", ours, false, true},
		{"both", joined(joined(theirs), joined(ours)), true, true},
	} {
		var lines []string
		o := newOutages(silent{}, at{func() time.Time { return start }}, told(&lines))
		o.told(c.err, o.prometheus, "")
		all := strings.Join(lines, "\n")
		if strings.Contains(all, "Prometheus cannot be read") != c.prometheus || strings.Contains(all, "The store cannot be used") != c.store {
			t.Errorf("%s: %s", c.name, all)
		}
	}
}

// troubled is a spine under which everything can be out of order for a time.
type troubled struct {
	*rig
	server, directory, disk atomic.Bool // out of order
	lines                   []string
}

func newTroubled(t *testing.T) *troubled {
	r := &troubled{rig: newRig(t)}
	r.rig.server.fault = func(url.Values) (int, string) {
		if r.server.Load() {
			return http.StatusServiceUnavailable, "starting"
		}
		return 0, ""
	}
	clock := shifted()
	r.grid = simulate.NewUKAPI(7, clock.Now)
	set := r.rig.spine.current()
	set.Grid = Chain{&intensity.UK{Upstream: local(r.grid), URL: "http://grid.test", Now: clock.Now}}
	set.Addresses = Addresses{Prometheus: "http://prometheus.test", Grid: map[string]string{"uk": "http://grid.test"}, Directory: "mongodb://db.test/ada"}
	set.Directory = &Directory{Every: 5 * time.Minute, Learn: attribution.Learn, Census: func(context.Context) (directory.Census, []directory.RecordReject, error) {
		if r.directory.Load() {
			return directory.Census{}, nil, &usage.Failure{Reason: usage.ReasonAuth, Detail: "the server refused: code 13 (Unauthorized)"}
		}
		return directory.Census{Workspaces: []directory.Workspace{{Document: "w", Host: "172.16.100.5", Created: start}}}, nil, nil
	}}
	model := power.Model{Configured: map[string]usage.Rating{}} // so that nothing is warned of but outages
	for _, machine := range []string{"Excitations", "Muon", "SANS"} {
		model.Configured[machine] = usage.Rating{Machine: machine, Source: power.SourceConfig, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}
	}
	set.Power = func(context.Context, time.Time) (Power, error) { return model, nil }
	r.use(New(&brokenStore{r.rig.store, &r.disk}, silent{}, told(&r.lines), clock, set))
	return r
}

// during runs the spine while a test does something, and returns the lines of outages.
func (r *troubled) during(do func()) []string {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.spine.Run(ctx) }()
	do()
	cancel()
	<-done
	return slices.DeleteFunc(r.lines, func(line string) bool { return !outageLine.MatchString(line) })
}

// noticed is a witness who keeps the notices.
type noticed struct {
	silent
	about map[usage.Topic]string
}

func (n noticed) Notice(about usage.Topic, text string) { n.about[about] = text }

// brokenStore cannot be written for a time.
type brokenStore struct {
	Store
	broken *atomic.Bool
}

func (s *brokenStore) Update(ctx context.Context, intervals []usage.Interval, decide usage.Decide) ([]usage.Outcome, error) {
	if s.broken.Load() {
		return nil, errors.New("write store: disk full")
	}
	return s.Store.Update(ctx, intervals, decide)
}

// Each outage of two and a half hours makes four lines, whatever is tried meanwhile and how often,
// and what it delays is there at its end.
func TestOutagesOfARunningExporter(t *testing.T) {
	for _, c := range []struct {
		name   string
		broken func(r *troubled, is bool)
		want   []string
	}{
		{
			"Prometheus",
			func(r *troubled, is bool) { r.server.Store(is) },
			[]string{
				`level=ERROR msg="Prometheus cannot be read" url=http://prometheus.test cause="prometheus.test answers that it is out of order (http status 503)" meanwhile="nothing is lost as long as Prometheus keeps it: usage is fetched later" err=...`,
				`level=ERROR msg="Prometheus still cannot be read" for=1h... url=http://prometheus.test cause=... meanwhile=...`,
				`level=ERROR msg="Prometheus still cannot be read" for=2h... url=http://prometheus.test cause=... meanwhile=...`,
				`level=INFO msg="Prometheus can be read again" lasted=2h... intervals_fetched=6`,
			},
		},
		{
			"the grid",
			func(r *troubled, is bool) {
				r.grid.SetFault(map[bool]simulate.Fault{true: simulate.Down, false: simulate.Healthy}[is])
			},
			[]string{
				`level=ERROR msg="The carbon intensity cannot be read" url=http://grid.test cause=... meanwhile="energy is recorded and priced later" err=...`,
				`level=ERROR msg="The carbon intensity still cannot be read" for=1h... url=http://grid.test cause=...`,
				`level=ERROR msg="The carbon intensity still cannot be read" for=2h... url=http://grid.test cause=...`,
				`level=INFO msg="The carbon intensity can be read again" lasted=2h... intervals_priced=...`,
			},
		},
		{
			"the directory",
			func(r *troubled, is bool) { r.directory.Store(is) },
			[]string{
				`level=ERROR msg="The directory cannot be read" url=mongodb://db.test/ada cause="auth: the server refused: code 13 (Unauthorized)" meanwhile="the last directory is used; usage is attributed again once it can be read"`,
				`level=ERROR msg="The directory still cannot be read" for=1h... url=mongodb://db.test/ada cause=...`,
				`level=ERROR msg="The directory still cannot be read" for=2h... url=mongodb://db.test/ada cause=...`,
				`level=INFO msg="The directory can be read again" lasted=2h... intervals_attributed_again=0`,
			},
		},
		{
			"the store",
			func(r *troubled, is bool) { r.disk.Store(is) },
			[]string{
				`level=ERROR msg="The store cannot be used" cause="write store: disk full" meanwhile="/metrics shows what was last stored, and everything is fetched again later"`,
				`level=ERROR msg="The store still cannot be used" for=1h...`,
				`level=ERROR msg="The store still cannot be used" for=2h...`,
				`level=INFO msg="The store can be used again" lasted=2h...`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newTroubled(t)
				lines := r.during(func() {
					time.Sleep(10 * time.Minute)
					c.broken(r, true)
					time.Sleep(170 * time.Minute)
					c.broken(r, false)
					time.Sleep(20 * time.Minute)
				})
				if len(lines) != len(c.want) {
					t.Fatalf("%d lines, want %d:\n%s", len(lines), len(c.want), strings.Join(lines, "\n"))
				}
				for i, want := range c.want {
					if !alikeLine(lines[i], want) {
						t.Errorf("got  %s\nwant %s", lines[i], want)
					}
				}
				if n := r.states()[usage.Missing] + r.states()[usage.Unpriced]; n != 0 {
					t.Errorf("%d intervals are missing or unpriced after it", n)
				}
				r.store.Close()
			})
		})
	}
}

var outageLine = regexp.MustCompile(`cannot be|level=ERROR|level=WARN| again"`)

// alikeLine compares a line with one in which three dots stand for anything.
func alikeLine(got, want string) bool {
	var parts []string
	for part := range strings.SplitSeq(want, "...") {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*")).MatchString(got)
}

// A grid without a forecast is told of its forecast alone, and not again with each answer about the past.
func TestAGridWithoutAForecastHasOneOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTroubled(t)
		set := r.spine.current()
		set.Grid = Chain{pastOnly{set.Grid[0].(*intensity.UK)}}
		r.spine.Reload(set)
		lines := r.during(func() { time.Sleep(150 * time.Minute) })
		if len(lines) != 3 || !strings.Contains(lines[0], `msg="There is no forecast of the carbon intensity"`) || !strings.Contains(lines[2], "for=2h") {
			t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		r.store.Close()
	})
}

// pastOnly is a grid that has no forecast.
type pastOnly struct{ *intensity.UK }

func (pastOnly) Outlook(context.Context, time.Time) ([]usage.Slot, usage.Rejects, error) {
	return nil, nil, &usage.Failure{Reason: usage.ReasonBadRequest, Status: 404, Permanent: true}
}

// Of several sources each has its own lines, whatever the others do, and one notice has them all.
func TestEachSourceHasItsOwnLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTroubled(t)
		set := r.spine.current()
		first := &station{name: "first", now: r.spine.Clock.Now, grain: 30 * time.Minute, truth: wave(100), status: http.StatusBadGateway}
		second := &station{name: "second", now: r.spine.Clock.Now, grain: 30 * time.Minute, truth: wave(500), status: http.StatusUnauthorized}
		set.Grid = Chain{first.grid(), second.grid()}
		set.Addresses.Grid = map[string]string{"first": "http://first.test", "second": "http://second.test"}
		r.spine.Reload(set)
		lines := r.during(func() {
			time.Sleep(90 * time.Minute)
			first.fail(0)
			time.Sleep(15 * time.Minute)
		})
		want := []string{
			`...level=ERROR msg="The carbon intensity from first cannot be read" provider=first url=http://first.test cause=... meanwhile="the next source that answers stands in; energy is recorded, and what has no price is priced later"...`,
			`...level=ERROR msg="The carbon intensity from second cannot be read" provider=second url=http://second.test cause=...`,
			`...level=ERROR msg="The carbon intensity from ... still cannot be read"...`,
			`...level=ERROR msg="The carbon intensity from ... still cannot be read"...`,
			`...level=INFO msg="The carbon intensity from first can be read again" provider=first lasted=1h...`,
		}
		if len(lines) != len(want) {
			t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
		}
		for i, line := range lines {
			if !alikeLine(line, want[i]) && !(i < 2 && alikeLine(line, want[1-i])) {
				t.Errorf("got\n%s\nwant\n%s", line, want[i])
			}
		}
		r.store.Close()
	})
}
