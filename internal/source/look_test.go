// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lines is a run as text: each piece's seconds of all hosts by project, its doubts, and how
// many cores were there.
func lines(readings []usage.Reading) []string {
	var all []string
	for _, r := range readings {
		sums, cores := map[string]usage.BusyIdle[usage.CPUSeconds]{}, 0
		for _, s := range r.Samples {
			sums[s.Project] = sums[s.Project].Plus(s.CPU)
		}
		for _, p := range r.Present {
			cores += p.Cores
		}
		var text []string
		for _, project := range []string{"ISIS", "DLS", usage.Unknown} {
			if s, ok := sums[project]; ok {
				text = append(text, fmt.Sprintf("%s %.0f+%.0f", project, s.Busy, s.Idle))
			}
		}
		text = append(text, fmt.Sprintf("cores %d", cores))
		if d := doubts(r); d != "" {
			text = append(text, d)
		}
		all = append(all, strings.Join(text, ", "))
	}
	return all
}

// What a closer look makes of hosts that the edges leave open. They are a quarter busy.
func TestACloserLook(t *testing.T) {
	const whole = "ISIS 450+1350, cores 1"
	f := func(fill func(*fleet)) *fleet {
		all := &fleet{}
		fill(all)
		return all
	}
	for _, test := range []struct {
		name  string
		fleet *fleet
		want  []string // two half hours from noon on
	}{
		{"a machine that runs", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 160) }), []string{whole, whole}},
		{"birth near 0", f(func(f *fleet) { f.machine("a", 1, 30).runs(40.5, 160) }), []string{"cores 0", "ISIS 292+878, cores 1"}},
		{"first seen long after its boot", f(func(f *fleet) { f.machine("a", 1, 5000).runs(40, 160) }), []string{"cores 0", "ISIS 300+900, cores 1"}},
		{"death", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 40) }), []string{whole, "ISIS 150+450, cores 1"}},
		{"a life between two edges", f(func(f *fleet) { f.machine("a", 1, 0).runs(40, 50) }), []string{"cores 0", "ISIS 150+450, cores 1"}},
		{"a reboot", f(func(f *fleet) { f.machine("a", 1, 50_000).runs(-100, 10).boots().unseen(1).runs(11, 160) }), []string{"ISIS 450+1350, cores 1", whole}},
		{"a live migration", f(func(f *fleet) { f.machine("a", 1, 50_000).runs(-100, 10).shifts(-20_000).unseen(1).runs(11, 160) }), []string{"ISIS 435+1305, cores 1, a interpolated stepped_back", whole}},
		{"a leap", f(func(f *fleet) { f.machine("a", 1, 50_000).runs(-100, 10).shifts(20_000).unseen(1).runs(11, 160) }), []string{"cores 1, a refused leap", whole}},
		{"it booted before the interval in which it is first seen", f(func(f *fleet) { f.machine("a", 1, 300).runs(33, 160) }), []string{"ISIS 30+90, cores 1", whole}},
		{"a hole over an edge", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 20).unseen(20).runs(40, 160) }), []string{whole + ", a interpolated hole", whole + ", a interpolated hole"}},
		{"a hole over an edge, in which it was off for ten minutes", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 20).unseen(10).runs(40, 160) }), []string{"ISIS 300+900, cores 1, a interpolated hole", whole}},
		{"a hole that began before the first edge", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-200, -150).unseen(200).runs(50, 160) }), []string{whole + ", a interpolated hole", whole + ", a interpolated hole"}},
		{"a hole that ends after the last edge", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 20).unseen(200).runs(220, 300) }), []string{whole + ", a interpolated hole", whole + ", a interpolated hole"}},
		{"a hole over all edges", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, -40).unseen(150).runs(110, 200) }), []string{whole + ", a interpolated hole", whole + ", a interpolated hole"}},
		{"a hole within an interval", f(func(f *fleet) { f.machine("a", 1, 5000).runs(-100, 5).unseen(20).runs(25, 160) }), []string{whole, whole}},
		{"cores that come", f(func(f *fleet) {
			f.machine("a", 2, 5000).runs(-100, 160)
			more := f.machine("a", 6, 0)
			more.cpus = more.cpus[2:]
			more.runs(40, 160)
		}), []string{"ISIS 900+2700, cores 2", "ISIS 2100+6300, cores 6"}},
		{"cores that go", f(func(f *fleet) {
			f.machine("a", 2, 5000).runs(-100, 160)
			more := f.machine("a", 6, 5000)
			more.cpus = more.cpus[2:]
			more.runs(-100, 40)
		}), []string{"ISIS 2700+8100, cores 6", "ISIS 1500+4500, cores 6"}},
		{"another label from minute 12 on", f(func(f *fleet) {
			m := f.machine("a", 1, 5000).runs(-100, 12)
			m.clone(`,"pod":"b"`).unseen(1).runs(13, 160)
		}), []string{whole, whole}},
		{"another label from minute 27 on, both within the look-back", f(func(f *fleet) {
			m := f.machine("a", 1, 5000).runs(-100, 27)
			m.clone(`,"pod":"b"`).unseen(1).runs(28, 160)
		}), []string{whole, whole}},
		{"another project from minute 12 on", f(func(f *fleet) {
			m := f.machine("a", 1, 5000).runs(-100, 12)
			other := m.clone("").unseen(1)
			other.project = "DLS"
			other.runs(13, 160)
		}), []string{"ISIS 180+540, DLS 270+810, cores 2", "DLS 450+1350, cores 1"}},
		{"two machines behind one label", f(func(f *fleet) {
			f.machine("a", 1, 5000).clone(`,"exported_instance":"x"`).runs(-100, 160)
			f.machine("a", 1, 90_000).clone(`,"exported_instance":"y"`).runs(-100, 160)
			f.machine("b", 1, 5000).runs(-100, 160)
			f.machine("c", 1, 5000).runs(-100, 160)
		}), []string{"ISIS 900+2700, cores 3, a refused mixed", "ISIS 900+2700, cores 3, a refused mixed"}},
		{"it stands still for half an hour while scrapes go on", f(func(f *fleet) {
			m := f.machine("a", 1, 5000).runs(-100, 0)
			for i := range 30 {
				m.scrape(minute(float64(i + 1)))
			}
			m.unseen(1).runs(31, 160)
		}), []string{"cores 1, a refused short", whole}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := lines(readRun(t, (&server{fleet: test.fleet}).client(t), twoHalfHours))
			for i := range test.want {
				if got[i] != test.want[i] {
					t.Errorf("half hour %d: got  %s\nwant %s", i, got[i], test.want[i])
				}
			}
		})
	}
}

// Whatever scrapes are missing, all intervals together have what the counters grew by, and it
// does not matter which are read together.
func TestHolesLoseNothing(t *testing.T) {
	f := &fleet{}
	f.machine("a", 1, 5000).runs(-100, 20).unseen(20).runs(40, 85).unseen(55).runs(140, 300)
	f.machine("b", 2, 9000).runs(-100, 29).unseen(2).runs(31, 58).unseen(4).runs(62, 300)
	total := func(runs ...[]usage.Interval) map[string]float64 {
		sums := map[string]float64{}
		for _, run := range runs {
			for _, r := range readRun(t, (&server{fleet: f}).client(t), run) {
				for _, s := range r.Samples {
					sums[s.Host] += float64(s.CPU.Total())
				}
			}
		}
		return sums
	}
	day := halfHours(6)
	together := total(day)
	if together["a"] < 180*60-1e-6 || together["a"] > 180*60+1e-6 || together["b"] != 2*180*60 {
		t.Errorf("three hours have %v", together)
	}
	for name, apart := range map[string]map[string]float64{
		"one by one":                       total(day[:1], day[1:2], day[2:3], day[3:4], day[4:5], day[5:]),
		"two by two":                       total(day[:2], day[2:4], day[4:]),
		"in parts with edges within holes": total(day[:1], day[1:3], day[3:]),
	} {
		for host := range together {
			if d := apart[host] - together[host]; d > 1e-6 || d < -1e-6 {
				t.Errorf("%s: %v, together %v", name, apart, together)
			}
		}
	}
}

// A reading says since when the intervals before can be read again.
func TestAHoleThatEndsIsNoted(t *testing.T) {
	f := &fleet{}
	f.machine("a", 1, 5000).runs(-100, -10).unseen(20).runs(10, 200)
	readings := readRun(t, (&server{fleet: f}).client(t), twoHalfHours)
	if got := readings[0].Since; got != atSeconds(minute(-10)) || !readings[1].Since.IsZero() {
		t.Errorf("since %v and %v", got, readings[1].Since)
	}
}

// reborn is hosts that all boot at minute 10.
func reborn(n int) *fleet {
	f := &fleet{}
	for i := range n {
		f.machine(fmt.Sprintf("host-%03d", i), 1, 50_000).runs(-40, 10).boots().unseen(1).runs(11, 70)
	}
	return f
}

func TestQuestionsOfManyHosts(t *testing.T) {
	for _, test := range []struct {
		name        string
		hosts       int
		raw, folded int // queries
	}{
		{"a few", 30, 1, 0},
		{"as many as one query takes, with the piece after it", atOnce / 2, 1, 0},
		{"one more", atOnce/2 + 1, 2, 0},
		{"as many as are not yet many", manyHosts, 4, 0},
		{"many are asked for as sums", manyHosts + 1, 0, 1},
		{"five hundred", 500, 0, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &server{fleet: reborn(test.hosts)}
			reading, _ := read(t, s.client(t))
			if len(reading.Samples) != test.hosts || len(reading.Doubts) > 0 {
				t.Errorf("%d hosts, doubts %v", len(reading.Samples), reading.Doubts)
			}
			if s.times(ofRaw) != test.raw || s.times(ofFolded) != test.folded {
				t.Errorf("%d raw and %d folded queries, want %d and %d", s.times(ofRaw), s.times(ofFolded), test.raw, test.folded)
			}
			if len(s.asked) > 3+test.raw+test.folded {
				t.Errorf("%d questions", len(s.asked))
			}
			for _, x := range reading.Samples {
				if x.CPU.Total() < 1740 || x.CPU.Total() > 1860 {
					t.Fatalf("got %+v", x)
				}
			}
		})
	}
}

// Of what sums cannot tell the raw samples are asked for.
func TestHostsThatSumsLeaveOpenAreAskedForOneByOne(t *testing.T) {
	f := reborn(manyHosts + 1)
	m := f.machine("x", 2, 5000)
	m.cpus = m.cpus[:1]
	m.runs(-40, 10)
	m.cpus = []string{"0", "1"}
	m.unseen(1).runs(11, 70)
	s := &server{fleet: f}
	read(t, s.client(t))
	if s.times(ofFolded) == 0 || s.times(ofRaw) != 1 {
		t.Errorf("%d folded and %d raw queries", s.times(ofFolded), s.times(ofRaw))
	}
	for _, query := range s.asked {
		if kindOf(query) == ofRaw && !strings.Contains(query, `instance=~"x"`) {
			t.Errorf("asked %s", query)
		}
	}
}

// More than fits is left for a smaller run; of one interval what fits is looked at.
func TestMoreHostsThanCanBeLookedAt(t *testing.T) {
	t.Run("several intervals", func(t *testing.T) {
		s := &server{fleet: reborn(1)}
		readings, err := budgeted(t, s, twoHalfHours, 0)
		if !usage.IsTooLarge(err) || readings != nil || s.times(ofRaw) > 0 {
			t.Errorf("got %v, %v after %q", readings, err, s.asked)
		}
	})
	t.Run("one interval", func(t *testing.T) {
		s := &server{fleet: reborn(5)}
		outcomes, err := budgeted(t, s, halfHour, 3)
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]int{}
		for _, o := range outcomes {
			states[string(o.state)+string(o.reason)]++
		}
		if want := map[string]int{"exact": 1, "refusednot_looked": 4}; !maps.Equal(states, want) {
			t.Errorf("got %v, want %v", states, want)
		}
	})
}

// budgeted looks with a budget of its own.
func budgeted(t *testing.T, s *server, run []usage.Interval, left int) (map[spot]outcome, error) {
	t.Helper()
	c := s.client(t)
	table, err := c.edges(t.Context(), c.Query, run, len(run) == 1)
	if err != nil {
		t.Fatal(err)
	}
	l := &look{client: c, table: table, outcomes: map[spot]outcome{}, left: left}
	if _, err := l.at(t.Context(), table.open()); err != nil {
		return nil, err
	}
	return l.outcomes, nil
}

// A reading is all or nothing, also if the last of many questions fails.
func TestALookThatFailsFailsTheReading(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"an outage":                   status(503, ""),
		"warnings":                    says(`{"status":"success","warnings":["a store is down"],"data":{"resultType":"matrix","result":[]}}`),
		"a vector, of which it is no": says(`{"status":"success","data":{"resultType":"vector","result":[]}}`),
		"an answer that is cut off":   says(matrix(host("a", "1"))[:80]),
	} {
		s := &server{fleet: reborn(atOnce + 1)}
		n := 0
		s.raw = func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 2 {
				answer(w, r)
				return
			}
			s.fleet.ServeHTTP(w, r)
		}
		if _, err := failure(t, s.client(t), halfHour); !strings.HasPrefix(err.Error(), "query node_cpu_seconds_total{") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A host of which the server has no raw samples, such as one that is downsampled, is refused.
func TestNoRawSamples(t *testing.T) {
	reading, rejects := read(t, (&server{fleet: reborn(1), raw: says(matrix())}).client(t))
	if len(reading.Samples) > 0 || doubts(reading) != "host-000 refused not_looked" || rejects["not_looked"] != 1 {
		t.Errorf("got %+v, %v", reading, rejects)
	}
	if reading.Present["ISIS"].Cores != 1 || reading.Coverage["ISIS"].Capacity != 1800 {
		t.Errorf("got %+v", reading)
	}
}

// FuzzRaw reads any raw samples: an answer or an error, and no more time than there is.
func FuzzRaw(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Add([]byte(matrix(series("a", `,"cpu":"0","mode":"user"`, "[1782909000,\"1\"],[1782909060,\"61\"]"), series("a", `,"cpu":"0","mode":"idle","job":"x"`, "[1782909000,\"1\"],[1782908000,\"NaN\"]"))))
	q := question()
	f.Fuzz(func(t *testing.T, answer []byte) {
		s := &rawSink{seen: map[string]*closeUp{}}
		if decode(strings.NewReader(string(answer)), append(q.Labels.list(), q.Labels.CPU, q.Labels.Mode), s) != nil {
			return
		}
		for _, c := range s.seen {
			c.assemble(q, 1, false)
			for _, u := range c.units {
				if p := u.portion(minute(0), minute(30)); !(p.capacity >= 0) || p.seen > p.capacity*(1+tolerance)+jitter*float64(len(u.segments)+1) {
					t.Errorf("%+v", p)
				}
			}
		}
	})
}

// joined takes the core's label away: one series by mode, that grows so many times as fast.
func (m *machine) joined(times float64) {
	for _, s := range m.series {
		s.cpu = "-"
		for i := range s.v {
			s.v[i] *= times
		}
	}
}

// Series without a label of the core are as many cores as they grow by, if that is a whole
// number. If it is none, they are refused and do not vanish.
func TestALookAtSeriesWithoutACore(t *testing.T) {
	for _, test := range []struct {
		name  string
		times float64
		want  string
	}{
		{"two cores", 2, "ISIS 900+2700, cores 2"},
		{"one and a half", 1.5, "cores 0, a refused no_cores"},
	} {
		f := &fleet{}
		f.machine("a", 1, 50_000).runs(-100, 10).boots().unseen(1).runs(11, 160).joined(test.times)
		if got := lines(readRun(t, (&server{fleet: f}).client(t), halfHour))[0]; got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// A sum without a label of the core, beside its parts, counts nothing twice, whether the same
// scraper has it or another.
func TestALookAtASumBesideItsParts(t *testing.T) {
	for n, more := range []string{"", "", "", `,"job":"recorded"`, `,"job":"recorded"`, `,"job":"recorded"`} {
		cores := n%3 + 1
		f := &fleet{}
		m := f.machine("a", cores, 50_000).runs(-100, 160)
		for _, first := range []*scraped{m.series["0user"], m.series["0idle"]} {
			sum := *first
			sum.cpu, sum.labels, sum.v = "-", more, nil
			for _, v := range first.v {
				sum.v = append(sum.v, v*float64(cores))
			}
			f.series = append(f.series, &sum)
		}
		for i := range 3 { // so that not most hosts seem to have two scrapers
			f.machine(fmt.Sprint("b", i), 1, 5000).runs(-100, 160)
		}
		want := fmt.Sprintf("ISIS %d+%d, cores %d", 450*(cores+3), 1350*(cores+3), cores+3)
		if got := lines(readRun(t, (&server{fleet: f}).client(t), halfHour))[0]; got != want {
			t.Errorf("%d cores, sum with the labels %q: got %s, want %s", cores, more, got, want)
		}
	}
}

// Doing an interval again changes nothing, not even the last digit, in whatever order the
// series come.
func TestReadingsDoNotDependOnOrder(t *testing.T) {
	f := &fleet{}
	m, at := f.machine("a", 3, 5000.7).runs(-100, 3).boots(), 3.0
	for i := range 9 { // a pod of another name every now and then
		pause, length := 1+float64(i)/7, float64(1+i%3)
		m = m.clone(fmt.Sprintf(`,"pod":"%d"`, i)).unseen(pause)
		m.runs(at+pause, at+pause+length)
		at += pause + length
	}
	f.machine("b", 2, 5000).runs(-100.3, 20).unseen(17.7).runs(37.7, 90)
	other := f.machine("c", 1, 5000.3)
	other.runs(-100.3, 10)
	moved := other.clone("")
	moved.project = "DLS"
	moved.unseen(1).runs(10.7, 90)
	var first string
	for i := range 10 {
		rand.New(rand.NewPCG(uint64(i), 1)).Shuffle(len(f.series), func(i, j int) { f.series[i], f.series[j] = f.series[j], f.series[i] })
		s := &server{fleet: f}
		got := fmt.Sprintf("%+v", readRun(t, s.client(t), twoHalfHours))
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatalf("got %s\nthen %s", first, got)
		}
	}
}

// Hosts are asked for together if they need the same time, not if it begins together.
func TestHostsThatNeedUnlikeTimes(t *testing.T) {
	f := &fleet{}
	f.machine("a", 1, 50_000).runs(-100, 40).boots().unseen(1).runs(41, 160)
	f.machine("b", 1, 5000).runs(-100, 35).unseen(30).runs(65, 160)
	got := lines(readRun(t, (&server{fleet: f}).client(t), twoHalfHours[1:]))[0]
	if want := "ISIS 900+2700, cores 2, b interpolated hole"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// However a row of intervals is cut into readings, a host gets the same.
func TestReadingsTogetherAndApartAgree(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := &fleet{}
		for i := range 4 {
			m := f.machine(fmt.Sprint(i), 1+r.IntN(3), []float64{0, 5000, 1e6}[r.IntN(3)])
			m.every = []float64{15, 60, 60, 120}[r.IntN(4)]
			at := -100 + 100*r.Float64()
			for at < 260 {
				next := at + 36 + 60*r.Float64() // an edge at least is in it
				m.runs(at, next)
				next = (m.last() - minute(0)) / 60
				switch pause := 60 * r.Float64(); r.IntN(5) {
				case 0:
					at = next + pause/4
					m.unseen(pause / 4)
				case 1:
					at = next + pause
					m.unseen(pause)
				case 2:
					at = next + pause // off
				case 3:
					at = next + 1
					m.boots().unseen(0.5)
				case 4:
					at = next + 1
					m = m.clone(fmt.Sprintf(`,"pod":"%d"`, int(at))).unseen(1)
				}
			}
		}
		run := halfHours(6)
		total := func(runs ...[]usage.Interval) map[string]float64 {
			sums := map[string]float64{}
			for _, some := range runs {
				for _, reading := range readRun(t, (&server{fleet: f}).client(t), some) {
					for _, s := range reading.Samples {
						sums[s.Host+" "+reading.Piece.String()] += float64(s.CPU.Total())
					}
				}
			}
			return sums
		}
		together, apart, pairs := total(run), total(run[:1], run[1:2], run[2:3], run[3:4], run[4:5], run[5:]), total(run[:1], run[1:3], run[3:5], run[5:])
		for host := range together {
			for name, other := range map[string]map[string]float64{"one by one": apart, "two by two": pairs} {
				if d := other[host] - together[host]; d > 0.01 || d < -0.01 { // times have milliseconds
					t.Errorf("seed %d, host %s: %s %v, together %v", seed, host, name, other[host], together[host])
				}
			}
		}
	}
}

// last is when it was last scraped.
func (m *machine) last() float64 {
	s := m.series[m.cpus[0]+"user"]
	return s.at[len(s.at)-1]
}

// What was used from the boot on belongs to the interval of the boot, also if that was read
// before anything was seen: it is to be read again.
func TestABootBeforeTheIntervalReachesBack(t *testing.T) {
	s := &server{fleet: &fleet{}}
	s.fleet.machine("a", 1, 300).runs(33, 160)
	c := s.client(t)
	second := readRun(t, c, []usage.Interval{twoHalfHours[1]})[0]
	if boot := noon.Add(28 * time.Minute); !second.Since.Equal(boot) || second.Samples[0].CPU.Total() != 1800 {
		t.Errorf("got %+v, want it to reach back to %s", second, boot)
	}
	if first := readRun(t, c, halfHour)[0]; len(first.Samples) != 1 || first.Samples[0].CPU.Total() != 120 {
		t.Errorf("read again: %+v", first)
	}
}
