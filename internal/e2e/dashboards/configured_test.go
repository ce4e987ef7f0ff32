// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"bytes"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// needsConfiguration matches queries for what only a site with instruments, known errors or
// embodied emissions has. The demo has none of them.
var needsConfiguration = regexp.MustCompile(`carbon_(measured|unexplained)_energy_kwh|carbon_embodied_|_(low|high)_(kwh|watts)|mode="measured"`)

// grows matches the families of the golden scrape that are all usage since the beginning.
var grows = regexp.MustCompile(`^carbon_((site_|workspace_)?(energy|emissions|embodied_emissions|measured_energy|unexplained_energy)_|cpu_seconds\{)`)

const scrapedDays = 3

// configured is a Prometheus that has scraped, for three days until now, an exporter that shows
// all that the golden scrape does. All usage has grown from 0 to what that shows.
func configured(t *testing.T) *site {
	t.Helper()
	golden, err := os.ReadFile("../../../collector/testdata/metrics.prom")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	e, address := enginetest.Serve(t, engine.Options{Dir: dir})
	s := &site{now: usage.FloorEpoch(when, day)}
	target := e.NewTarget(rehearsal.Job, rehearsal.Instance)
	begin := s.now.AddDate(0, 0, -scrapedDays)
	for at := begin; !at.After(s.now); at = at.Add(5 * time.Minute) {
		page := upToDate(scaled(t, golden, at.Sub(begin).Seconds()/s.now.Sub(begin).Seconds()), at)
		if err := target.Scrape(t.Context(), at, page); err != nil {
			t.Fatal(err)
		}
	}
	s.url = address
	return s
}

// scaled is a page of which the usage is a part.
func scaled(t *testing.T, page []byte, part float64) []byte {
	t.Helper()
	lines := bytes.Split(page, []byte("\n"))
	for i, line := range lines {
		space := bytes.LastIndexByte(line, ' ')
		if !grows.Match(line) || space < 0 {
			continue
		}
		v, err := strconv.ParseFloat(string(line[space+1:]), 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines[i] = strconv.AppendFloat(slices.Clone(line[:space+1]), part*v, 'g', -1, 64)
	}
	return bytes.Join(lines, []byte("\n"))
}

var newestInterval = regexp.MustCompile(`(?m)^(carbon_last_complete_interval_timestamp_seconds) .*$`)

// upToDate is a page whose newest interval is that which has just ended.
func upToDate(page []byte, at time.Time) []byte {
	end := usage.FloorEpoch(at, usage.SlotLength).Unix()
	return newestInterval.ReplaceAll(page, []byte("$1 "+strconv.FormatInt(end, 10)))
}

func TestEveryQueryHasAnAnswerWhereAllIsConfigured(t *testing.T) {
	s := configured(t)
	tried := 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if !needsConfiguration.MatchString(q.Expr) {
					continue
				}
				tried++
				t.Run(d.name(p, q), func(t *testing.T) { s.answers(t, d, p, q, true) })
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d queries need a configuration", tried)
	}
}

// What the panels say of the golden scrape, which has usage of two projects, bounds of one, a
// zone and embodied emissions.
func TestWhatIsConfiguredIsShownAsItIs(t *testing.T) {
	s := configured(t)
	for _, tc := range []struct {
		name, title, panel string
		n                  int
		want               []float64
	}{
		{"watts of three machine types", "Carbon / Exporter", "Watts of machine types", 0, []float64{1, 1.2, 2, 8.25, 9.5, 12}},
		{"low watts of the one whose error is known", "Carbon / Exporter", "Watts of machine types", 1, []float64{0.5, 9}},
		{"high watts", "Carbon / Exporter", "Watts of machine types", 2, []float64{2, 18}},
		{"the power that they stand for, without that of GPUs", "Carbon / Exporter", "Watts of machine types", 3, []float64{30, 120}},
		{"one type of each source", "Carbon / Exporter", "Machine types by source", 0, []float64{1, 1, 1}},
		{"power by processor", "Carbon / Exporter", "Power by source of its watts", 0, []float64{150}},
		{"power of GPUs", "Carbon / Exporter", "Power by source of its watts", 1, []float64{400}},
		{"low of the project and of the site", "Carbon / Overview", "Energy, low to high", 0, []float64{0.485, 0.592}},
		{"halfway between them", "Carbon / Overview", "Energy, low to high", 1, []float64{0.5725, 0.6795}},
		{"high", "Carbon / Overview", "Energy, low to high", 2, []float64{0.66, 0.767}},
		{"and how far that is from the middle", "Carbon / Overview", "Energy, low to high", 3, []float64{0.175 / 1.359, 0.175 / 1.145}},
		{"measured", "Carbon / Exporter", "Measured and booked, by zone", 0, []float64{0.7}},
		{"booked", "Carbon / Exporter", "Measured and booked, by zone", 1, []float64{0.55}},
		{"unexplained", "Carbon / Exporter", "Measured and booked, by zone", 2, []float64{0.15}},
		{"unexplained, as a share", "Carbon / Exporter", "Measured and booked, by zone", 3, []float64{0.15 / 0.7}},
		{"the same of the last day", "Carbon / Exporter", "Unexplained share", 0, []float64{0.15 / 0.7}},
		{"operational emissions", "Carbon / Overview", "Operational and embodied", 0, []float64{28.875}},
		{"embodied emissions beside them", "Carbon / Overview", "Operational and embodied", 1, []float64{40}},
		{"watts of machine types on their page", "Carbon / Machine", "Watts of machine types", 0, []float64{1, 1.2, 2, 8.25, 9.5, 12}},
		{"the highest watts of busy cores", "Carbon / Machine", "Watts per core over time", 1, []float64{12}},
		{"and the edges of its band", "Carbon / Machine", "Watts per core over time", 0, []float64{9}},
		{"above it", "Carbon / Machine", "Watts per core over time", 2, []float64{18}},
		{"60 core hours in three days, of an hour and a millisecond", "Carbon / Machine", "Cores, busy and idle", 0, []float64{20. / 72 * 3600.001 / 3600, 40. / 72 * 3600.001 / 3600}},
		{"workspaces", "Carbon / Machine", "Workspaces", 0, []float64{2}},
		{"low edge of the band", "Carbon / Overview", "Bounds of the energy of the site", 0, []float64{0.592}},
		{"the middle of the band", "Carbon / Overview", "Bounds of the energy of the site", 1, []float64{0.6795}},
		{"high edge", "Carbon / Overview", "Bounds of the energy of the site", 2, []float64{0.767}},
		{"idle energy of two machine types", "Carbon / Project, group, user", "Idle by machine type", 0, []float64{0.012, 0.03}},
		{"what it emitted, of one without a price nothing", "Carbon / Project, group, user", "Idle by machine type", 1, []float64{1.575}},
		{"what it cost", "Carbon / Project, group, user", "Idle by machine type", 2, []float64{0.003, 0.0075}},
		{"its part of all", "Carbon / Project, group, user", "Idle by machine type", 3, []float64{0.03 / 0.55, 0.012 / 0.107}},
		{"idle energy of two workspaces", "Carbon / Project, group, user", "Idle workspaces", 0, []float64{0.012, 0.03}},
		{"what that cost", "Carbon / Project, group, user", "Idle workspaces", 2, []float64{0.003, 0.0075}},
		{"its part of the workspace", "Carbon / Project, group, user", "Idle workspaces", 3, []float64{0.03 / 0.55, 0.012 / 0.107}},
		{"all is all of the site", "Carbon / Project, group, user", "Share of energy", 0, []float64{1}},
		{"two digits of 28.875 g by car", "Carbon / Project, group, user", "Car miles", 0, []float64{0.072}},
		{"when to run", "Carbon / Overview", "Best times to run", 0, []float64{1768478400e3, 1768485600e3, 1768491000e3}},
		{"until when: six hours, three hours and one hour later", "Carbon / Overview", "Best times to run", 1, []float64{1768494600e3, 1768496400e3, 1768500000e3}},
		{"the same of all that may be chosen", "Carbon / Project, group, user", "Operational and embodied", 1, []float64{40}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, p := find(t, tc.title, tc.panel)
			expr := d.written(t, p.Targets[tc.n].Expr, map[string]string{"__range": strconv.Itoa(scrapedDays) + "d", "__range_s": strconv.Itoa(scrapedDays * 24 * 3600)})[0]
			answer, err := s.instant(expr, s.now)
			if err != nil {
				t.Fatalf("%v: %s", err, expr)
			}
			got := answer.numbers()
			slices.Sort(got)
			near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }
			if !slices.EqualFunc(got, tc.want, near) {
				t.Errorf("%v, want %v: %s", got, tc.want, expr)
			}
		})
	}
}

// find finds a panel.
func find(t *testing.T, title, name string) (dashboard, panel) {
	t.Helper()
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			if d.Title == title && p.Title == name {
				return d, p
			}
		}
	}
	t.Fatalf("no panel %s, %s", title, name)
	return dashboard{}, panel{}
}
