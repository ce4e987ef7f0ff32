// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// measuredServer is a server that answers each query by the first of some rules whose text is in it.
type measuredServer struct {
	rules []rule
	mu    sync.Mutex
	asked []string
}

type rule struct{ in, answer string }

func (m *measuredServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	m.mu.Lock()
	m.asked = append(m.asked, query)
	m.mu.Unlock()
	for _, rule := range m.rules {
		if strings.Contains(query, rule.in) {
			if status, text, failed := strings.Cut(rule.answer, "!"); failed {
				code := 0
				if _, err := fmt.Sscan(status, &code); err != nil {
					panic(err)
				}
				w.WriteHeader(code)
				io.WriteString(w, text)
				return
			}
			io.WriteString(w, rule.answer)
			return
		}
	}
	io.WriteString(w, matrix())
}

// instruments is a client of a server with such rules.
func (m *measuredServer) instruments(t testing.TB, in Instruments) *Client {
	t.Helper()
	c := (&server{parts: m.ServeHTTP, raw: m.ServeHTTP, counters: m.ServeHTTP, cores: m.ServeHTTP, boots: m.ServeHTTP}).client(t)
	c.Query.Instruments = in
	return c
}

// part is a series of a host in one part of an answer, from noon on at each half hour.
func part(host, name string, points ...string) string {
	return fmt.Sprintf(`{"metric":{"instance":%q,"%s":%q},"values":[%s]}`, host, partLabel, name, every(noonEnd-1800, points))
}

// clearly is a host of 100 W in half an hour.
func clearly(host string) []rule {
	return []rule{
		{"sum_over_time", matrix(part(host, partSum, "", "3000"), part(host, partLeast, "", "100"), part(host, partMost, "", "100"), part(host, partPoints, "", "30"))},
		{"stdvar", matrix(part(host, partValue, "100", "100"), part(host, partNumber, "1", "1"), part(host, partUsual, "1", "1"))},
	}
}

var ipmi = Instruments{Meters: []Meter{{Name: "ipmi", Query: "watts"}}}

func TestAMeter(t *testing.T) {
	c := (&measuredServer{rules: clearly("a")}).instruments(t, ipmi)
	all, rejects, err := c.Instruments(t.Context(), halfHour, true)
	want := []usage.Instruments{{Piece: halfHour[0], Power: map[string]usage.Metering{"a": {Meter: "ipmi", Energy: 180_000, Covered: 1}}}}
	if err != nil || !reflect.DeepEqual(all, want) || len(rejects) > 0 {
		t.Errorf("got %+v, %v, %v", all, rejects, err)
	}
}

func TestOddAnswersAboutMeters(t *testing.T) {
	edges := clearly("a")[1]
	folded := func(sum, least, points string) rule {
		return rule{"sum_over_time", matrix(part("a", partSum, "", sum), part("a", partLeast, "", least), part("a", partPoints, "", points))}
	}
	for _, c := range []struct {
		name    string
		rules   []rule
		rejects usage.Rejects
	}{
		{"more values than moments", []rule{folded("3000", "100", "1e9"), edges}, usage.Rejects{}},
		{"values without their number", []rule{{"sum_over_time", matrix(part("a", partSum, "", "3000"))}, edges}, usage.Rejects{}},
		{"no value at edges", []rule{folded("3000", "100", "30")}, usage.Rejects{}},
		{"more than anything uses", []rule{folded("1e15", "100", "30"), edges}, usage.Rejects{"over_capacity": 1}},
		{"no power", []rule{folded("0", "0", "30"), edges}, usage.Rejects{"zero": 1}},
		{"no numbers", []rule{folded("0x10", "", "30"), edges}, usage.Rejects{"not_a_number": 1}},
		{"a part that was not asked for", []rule{{"sum_over_time", matrix(part("a", "other", "", "1"))}}, usage.Rejects{}},
		{"a histogram", []rule{{"sum_over_time", matrix(`{"metric":{"instance":"a","` + partLabel + `":"sum"},"histograms":[[1782909000,{"count":"1"}]]}`)}}, usage.Rejects{"histogram": 1}},
		{"a watched number without end", []rule{{"> 0 < Inf", matrix(part("a", partSum, "", "+Inf"), part("a", partPoints, "", "30"))}, folded("NaN", "1", "30"), edges}, usage.Rejects{"over_capacity": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := slices.Clone(c.rules)
			if c.rules[0].in != "> 0 < Inf" { // nothing is right
				rules = append([]rule{{"> 0 < Inf", matrix()}}, rules...)
			}
			all, rejects, err := (&measuredServer{rules: rules}).instruments(t, ipmi).Instruments(t.Context(), halfHour, true)
			if err != nil || len(all[0].Power) > 0 || !reflect.DeepEqual(rejects, c.rejects) {
				t.Errorf("got %+v, %v, %v", all, rejects, err)
			}
		})
	}
}

func TestInstrumentsAreAllOrNothing(t *testing.T) {
	good := clearly("a")
	for _, c := range []struct {
		name   string
		rules  []rule
		reason string
	}{
		{"an answer that is cut off", []rule{good[0], {"stdvar", good[1].answer[:100]}}, usage.ReasonMalformed},
		{"an answer with warnings", []rule{{"sum_over_time", strings.Replace(good[0].answer, `"success"`, `"success","warnings":["partial"]`, 1)}}, usage.ReasonPartial},
		{"an answer to another question", []rule{{"sum_over_time", strings.ReplaceAll(good[0].answer, "1782909000", "1782909060")}}, usage.ReasonMalformed},
		{"a server that is away", []rule{{"sum_over_time", "503!"}}, usage.ReasonServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, rejects, err := (&measuredServer{rules: c.rules}).instruments(t, ipmi).Instruments(t.Context(), halfHour, true)
			if f := usage.FailureOf(err); f == nil || f.Reason != c.reason || all != nil || rejects != nil {
				t.Errorf("got %v, %v, %v, want %s", all, rejects, err, c.reason)
			}
		})
	}
}

func TestInstrumentsThatAreTooLarge(t *testing.T) {
	refusing := func(text string) *measuredServer {
		return &measuredServer{rules: append([]rule{{text, "422!"}}, clearly("a")...)}
	}
	s := refusing("sum_over_time")
	if _, _, err := s.instruments(t, ipmi).Instruments(t.Context(), twoHalfHours, true); !usage.IsTooLarge(err) || len(s.asked) != 1 {
		t.Errorf("a run: %v, asked %q", err, s.asked)
	}
	s = refusing("[29m30s:1m]")
	if _, _, err := s.instruments(t, ipmi).Instruments(t.Context(), halfHour, true); err != nil || !strings.Contains(s.asked[1], "[27m30s:5m]") {
		t.Errorf("a piece that is too large each minute: %v, asked %q", err, s.asked)
	}
	s = refusing("sum_over_time")
	if _, _, err := s.instruments(t, ipmi).Instruments(t.Context(), halfHour, true); !usage.IsTooLarge(err) || !strings.Contains(s.asked[2], "[15m:30m]") {
		t.Errorf("a piece that is too large: %v, asked %q", err, s.asked)
	}
	s = refusing("sum_over_time")
	hour := []usage.Interval{{Start: noon, Length: time.Hour}}
	if _, _, err := s.instruments(t, ipmi).Instruments(t.Context(), hour, true); !usage.IsTooLarge(err) || len(s.asked) != 4 {
		t.Errorf("an interval, its pieces one by one: %v, asked %q", err, s.asked)
	}
	s = refusing("nothing")
	if _, _, err := s.instruments(t, ipmi).Instruments(t.Context(), slices.Repeat(halfHour, maxPoints), true); !usage.IsTooLarge(err) || len(s.asked) > 0 {
		t.Errorf("more points than Prometheus gives: %v, asked %q", err, s.asked)
	}
	if all, _, err := s.instruments(t, ipmi).Instruments(t.Context(), nil, true); all != nil || err != nil || len(s.asked) > 0 {
		t.Errorf("no run: %v, %v", all, err)
	}
}

// A server cannot exhaust memory with series that nobody has.
func TestTooManySeriesOfInstruments(t *testing.T) {
	a := newAnswer(endsOf(halfHour), []string{"instance"}, nil, usage.Rejects{})
	var err error
	for i := 0; err == nil && i <= maxHosts; i++ {
		err = a.Series([]string{fmt.Sprint(i)})
	}
	if !usage.IsTooLarge(err) {
		t.Errorf("more hosts than there are: %v", err)
	}
	w := &wholeAnswer{answer: newAnswer(endsOf(halfHour), []string{"instance"}, nil, usage.Rejects{})}
	long := strings.Repeat("x", 1<<20)
	err = nil
	for i := 0; err == nil && i < 100; i++ {
		w.Rest([]label{{"a", long}})
		err = w.Series([]string{fmt.Sprint(i)})
	}
	if !usage.IsTooLarge(err) {
		t.Errorf("labels without end: %v", err)
	}
}

func TestTheStepOfTheGrid(t *testing.T) {
	for _, c := range []struct{ piece, step time.Duration }{
		{30 * time.Minute, time.Minute},
		{5 * time.Minute, time.Minute},
		{time.Minute, time.Minute},
		{90 * time.Second, 30 * time.Second},
		{10 * time.Second, 10 * time.Second},
		{7 * time.Minute, time.Minute},
	} {
		if got := gridStep(c.piece); got != c.step {
			t.Errorf("%s: %s, want %s", c.piece, got, c.step)
		}
	}
	if got := gridSteps(30 * time.Minute); !slices.Equal(got, []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}) {
		t.Errorf("steps of half an hour: %v", got)
	}
	if got := gridSteps(time.Minute); !slices.Equal(got, []time.Duration{time.Minute}) {
		t.Errorf("steps of a minute: %v", got)
	}
}

func TestWhichExpressionsAreSelectors(t *testing.T) {
	for expr, want := range map[string]bool{
		"node_cpu_info": true, " node_cpu_info\n": true, `x{a="b"}`: true, `x{a="}{",b='"',c=` + "`\\`" + `}`: true, `{__name__="x"}`: true, `x{}`: true,
		"job:x:sum": true, `{"system.cpu.time", a="b"}`: true, `x{a="\""}`: true,
		"x offset 5m": false, "x # of all": false, "sum(x)": false, "x + y": false, "x[5m]": false, "x{a=\"b\"} == 1": false, "": false, "inf": false, "NaN": false, "1": false,
		`x{a="b"}{c="d"}`: false, `x{a="b`: false, "x{a=\"b\"} # c": false,
	} {
		if got := isSelector(expr); got != want {
			t.Errorf("%q: %v, want %v", expr, got, want)
		}
	}
	for _, c := range []struct{ expr, want string }{
		{"x", `x{u="1"}`}, {"x{}", `x{u="1"}`}, {`x{a="b"}`, `x{a="b",u="1"}`}, {` {a="b", } `, `{a="b",u="1"}`},
	} {
		if got := narrowed(c.expr, `u="1"`); got != c.want {
			t.Errorf("%s narrowed is %s, want %s", c.expr, got, c.want)
		}
	}
}

// FuzzKeys holds that the labels of a series come out of its key as they went in.
func FuzzKeys(f *testing.F) {
	for _, s := range []string{"", "a", `a"b`, "a\n", "\xff", `\`, ",", `="`, "\x00"} {
		f.Add("UUID", s, "gpu", "a,b")
	}
	f.Fuzz(func(t *testing.T, name, value, other, its string) {
		key := keyOfLabels([]string{name}, []string{value}, []label{{other, its}})
		var want []label
		for _, l := range []label{{name, value}, {other, its}} {
			if l.name != "__name__" && l.value != "" {
				want = append(want, l)
			}
		}
		got := labelsOf(key)
		if len(want) == 2 && name == other {
			want = got // one of them
		}
		slices.SortFunc(want, func(a, b label) int { return strings.Compare(a.name, b.name) })
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	})
}

func TestTheHistoryOfACounter(t *testing.T) {
	day := 86400.0
	for _, c := range []struct {
		name     string
		instants []instant
		from, to float64
		want     float64
	}{
		{"nothing", nil, 0, 10, 0},
		{"grows between edges", []instant{{0, 5, true}, {4, 7, false}, {10, 9, true}}, 0, 10, 4},
		{"in any order", []instant{{10, 9, true}, {4, 7, false}, {0, 5, true}}, 0, 10, 4},
		{"has not begun", []instant{{4, 7, false}, {10, 9, true}}, 0, 10, 2},
		{"has ended", []instant{{0, 5, true}, {4, 7, false}}, 0, 10, 2},
		{"begins again", []instant{{0, 5, true}, {4, 1, false}, {10, 3, true}}, 0, 10, 3},
		{"was not seen", []instant{{-10, 0, false}, {30, 40, false}}, 0, 10, 10},
		{"was not seen for a day and more", []instant{{-day, 0, false}, {30, 40, false}}, 0, 10, 0},
		{"what is no energy", []instant{{0, 5, true}, {4, math.NaN(), false}, {5, -1, false}, {6, math.Inf(1), false}, {10, 9, true}}, 0, 10, 4},
	} {
		h := &history{}
		for _, in := range c.instants {
			h.add(in.at, in.value, in.held)
		}
		h.settle()
		a, _, _ := h.at(c.from)
		b, _, _ := h.at(c.to)
		if math.Abs(b-a-c.want) > 1e-12 {
			t.Errorf("%s: grew by %v, want %v", c.name, b-a, c.want)
		}
	}
}

// Nobody has to configure processors, so that a server that cannot answer for them must not hold
// up the energy of a site. One that does not answer at all does, as in every other query.
func TestAServerThatRefusesTheQueryForProcessors(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		fails        bool
		remarks      int
		said         string // of why, in the remark
	}{
		{"it does not know a function", `400!{"status":"error","errorType":"bad_data","error":"unknown function"}`, false, 1, "unknown function"},
		{"it finds it too large, even for one piece", `422!{"status":"error","errorType":"execution","error":"too many samples"}`, false, 1, "too many samples"},
		{"it takes too long for it", `503!{"status":"error","errorType":"timeout","error":"query timed out in query execution"}`, true, 0, ""},
		{"it is out of order", "503!", true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &measuredServer{rules: []rule{{"node_cpu_info", c.answer}}}
			client := m.instruments(t, Instruments{Processors: Processors{Query: "node_cpu_info", Model: "model_name", Package: "package"}})
			got, _, err := client.Instruments(t.Context(), []usage.Interval{{Start: noon, Length: 30 * time.Minute}}, true)
			if (err != nil) != c.fails {
				t.Fatalf("got %v", err)
			}
			if !c.fails && (len(got) != 1 || len(got[0].Remarks) != c.remarks || got[0].Models != nil || !strings.Contains(got[0].Remarks[0], c.said)) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A query that a server refuses is an instrument that has stopped: the others count, and it is
// said which key to correct.
func TestAnInstrumentWhoseQueryIsRefused(t *testing.T) {
	const bad = `400!{"status":"error","errorType":"bad_data","error":"parse error: unexpected end of input"}`
	for _, c := range []struct{ name, in, key string }{
		{"a meter", "the_meter", "power.measured"},
		{"devices that count", "the_counter", "power.devices"},
		{"devices that show watts", "the_gauge", "power.devices"},
		{"memory", "the_memory", "prometheus.memory"},
		{"PUE", "the_pue", "power.pue.query"},
		{"a zone", "the_zone", "power.reconcile"},
		{"processors", "the_processors", "prometheus.processors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &measuredServer{rules: []rule{{c.in, bad}}}
			client := m.instruments(t, Instruments{
				Processors: Processors{Query: "the_processors", Model: "model_name"},
				Meters:     []Meter{{Name: "ipmi", Query: "the_meter"}, {Name: "pdu", Query: "another_meter"}},
				Devices:    []Device{{Name: "gpu", Query: "the_counter", Unit: 1}, {Name: "fpga", Query: "the_gauge"}},
				Memory:     Memory{Query: "the_memory"}, PUE: "the_pue", Zones: []Zone{{"hall", "the_zone"}},
			})
			got, _, err := client.Instruments(t.Context(), []usage.Interval{{Start: noon, Length: 30 * time.Minute}}, true)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			said := strings.Join(got[0].Remarks, "\n")
			if strings.Count(said, "refuses") != 1 || !strings.Contains(said, "unexpected end of input") || !strings.Contains(said, "correct "+c.key) {
				t.Errorf("it is said: %s", said)
			}
			for _, other := range []string{"another_meter", "the_zone"} {
				if !slices.ContainsFunc(m.asked, func(query string) bool { return strings.Contains(query, other) }) {
					t.Errorf("%s was not asked", other)
				}
			}
		})
	}
}
