// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var update = flag.Bool("update", false, "write the golden files anew; never those of a layout that statements were issued with")

func total(project, machine, user string, busy, idle, measured, price float64) usage.Total {
	e := usage.ByMode[usage.KWh]{Busy: usage.KWh(busy), Idle: usage.KWh(idle), Measured: usage.KWh(measured)}
	t := usage.Total{Key: usage.Key{Project: project, Machine: machine, User: user, Group: "ISIS"}, Energy: e}
	if price > 0 {
		t.Priced, t.Emissions = true, usage.EmissionsAt(e, usage.GramsPerKWh(price))
	}
	return t
}

func salts() func() []byte {
	n := byte(0)
	return func() []byte { n++; return bytes.Repeat([]byte{n}, usage.SealBytes) }
}

// sample is a statement with everything in it.
func sample() (Document, []usage.StatementPerson) {
	keys := []usage.Total{
		total("IDAaaS", "Muon", "alice", 812.25, 93.1, 0, 151), total("IDAaaS", "Laser", "bob", 1.0/3, 0.0001, 210.5, 149.5),
		total("CDAaaS", "Muon", "carol", 20, 4.75, 0, 0), total("CDAaaS", "Muon", usage.Unattributed, 5, 1, 0, 140), total("CDAaaS", "Muon", "dora", 2, 1, 0, 140),
	}
	keys[0].Embodied, keys[0].Hardware = 1234.5, 1
	some := func(v float64) *float64 { return &v }
	low, high := usage.KWh(1000.5), usage.KWh(1300.25)
	whole := RowOf("", keys, Range{EnergyLow: &low, EnergyHigh: &high})
	d := Document{
		Layout: 1, Number: 12, Scope: usage.ScopeGroup, Member: "ISIS", Month: "2026-10", Timezone: "Europe/London",
		From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.FixedZone("", 3600)), To: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		IssuedAt: time.Date(2026, 11, 9, 8, 30, 1, 0, time.UTC), Version: "0.1.0", Revision: 4242, Previous: strings.Repeat("ab", 32),
		Intervals: Intervals{All: 1490, Settled: 1400, Provisional: 40, Unpriced: 20, Empty: 10, Missing: 15, Unasked: 5},
		Whole:     &Whole{Row: whole, Intensity: some(150.62), Unpriced: 0.0223, Provisional: 0.04, Forecast: 0.01, Unattributed: 0.005, Unbounded: 0.19, Hardware: 0.8},
		Projects:  Rows(keys, func(k usage.Key) string { return k.Project }, nil), Machines: Rows(keys, func(k usage.Key) string { return k.Machine }, nil),
		PeopleAs: "id",
		Comparisons: []Comparison{
			{What: MonthBefore, Month: "2026-09", Energy: new(EnergyOf(900)), Emissions: new(CarbonOf(120_000)), Intervals: Intervals{All: 1440, Settled: 1440}},
			{What: YearBefore, Month: "2025-10", Intervals: Intervals{All: 1490, Unasked: 1490}},
		},
		Adjustments: []Adjustment{
			{Statement: 9, Month: "2026-08", Energy: EnergyOf(1.2), Busy: EnergyOf(1.2), Emissions: CarbonOf(-340), BusyEmissions: CarbonOf(-340), Since: 11, Reasons: []Reason{{"recost", 7}, {Late, 1}}},
			{Statement: 11, Month: "2026-09", Energy: 1, Busy: 1, Since: 11, Reasons: []Reason{}},
		},
		Budgets: []Budget{
			{Name: "month", Unit: "kwh", Limit: 1000, Used: some(1150.9), From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
			{Name: "year", Unit: "gco2eq", Limit: 2e6, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
		Method: Method{
			Power: []Share{{"config", 0.81}, {"devices", 0.19}}, PUELow: some(1.18), PUEHigh: some(1.31), ForecastError: some(24), ForecastPairs: 0,
			Prices: []Price{{"uk", "GB", "average direct consumption", "final", "", 0.9}, {"static", "contract", "undeclared", "final", "our contract", 0.1}},
		},
		Factors: []Factor{{Name: "lifecycle", Bases: []string{"average lifecycle consumption"}, Emissions: new(CarbonOf(201_000)), Known: 0.97}, {Name: "market", Bases: []string{"undeclared"}}},
		Credits: []Credit{{Text: "National Energy System Operator, Carbon Intensity API", Licence: "CC BY 4.0", Link: "https://carbonintensity.org.uk"}},
	}
	d.Machines[1].Power = "devices, config"
	d.Projects[0].Coverage = some(0.99999)
	var people []usage.StatementPerson
	d.People, people = People(keys, func(user string) string {
		if user == "dora" {
			return "other"
		}
		return user
	}, salts())
	return d, people
}

func printed(t *testing.T, d Document, people []usage.StatementPerson) Print {
	t.Helper()
	st, err := d.Seal(people)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Of(st)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func texts(t *testing.T, p Print) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"html": func(b *bytes.Buffer) error { return p.WriteHTML(b) },
		"csv":  func(b *bytes.Buffer) error { return p.WriteCSV(b, func(s string) string { return s }) },
		"json": func(b *bytes.Buffer) error { return p.WriteJSON(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		all[name] = b.String()
	}
	return all
}

// What was sent with a layout is written like that for ever.
func TestALayoutNeverChanges(t *testing.T) {
	d, people := sample()
	for name, got := range texts(t, printed(t, d, people)) {
		golden := "testdata/layout1." + name
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs from %s; a layout that statements were issued with never changes, make another one:\n%s", name, golden, got)
		}
	}
}

// The line of the text in JSON is what was hashed.
func TestTheTextInJSONHasItsHash(t *testing.T) {
	d, people := sample()
	text := texts(t, printed(t, d, people))["json"]
	var doc struct {
		Hash      string          `json:"sha256"`
		Statement json.RawMessage `json:"statement"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^"statement":(.*)$`).FindStringSubmatch(text)
	if len(line) != 2 || usage.HashOf([]byte(line[1])) != doc.Hash || doc.Hash == "" {
		t.Errorf("the line has not the hash %s", doc.Hash)
	}
	for _, who := range people {
		if bytes.Contains(doc.Statement, []byte(who.Label)) {
			t.Errorf("the text that is hashed has %q in it, who could not be forgotten", who.Label)
		}
	}
}

func TestTheCanonicalTextIsReadBack(t *testing.T) {
	d, people := sample()
	p := printed(t, d, people)
	again, err := p.Document.Canonical()
	if err != nil || !bytes.Equal(again, p.Body) {
		t.Errorf("%v\n%s\nand then\n%s", err, p.Body, again)
	}
	var keys []string
	for _, m := range regexp.MustCompile(`[{,]"([a-z_0-9]+)":`).FindAllStringSubmatch(string(p.Body), 3) {
		keys = append(keys, m[1])
	}
	if len(keys) != 3 || keys[0] != "adjustments" || keys[1] != "busy_gco2eq" || keys[2] != "busy_kwh" {
		t.Errorf("keys begin %q", keys)
	}
	for _, change := range []func(*Document){
		func(d *Document) { d.Whole.Energy++ }, func(d *Document) { d.Member = "CLF" }, func(d *Document) { d.Previous = "" },
		func(d *Document) { d.People[0].Seal = "0" }, func(d *Document) { d.Credits = nil },
	} {
		other, _ := sample()
		change(&other)
		if text, err := other.Canonical(); err != nil || usage.HashOf(text) == p.Hash {
			t.Errorf("another document has the same hash, %v", err)
		}
	}
	if _, err := Parse([]byte(`{"layout":2,"number":3}`)); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("a layout of the future: %v", err)
	}
}

func TestNumbersKeepEveryDigit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		want := Energy(r.Int64N(1 << r.IntN(63)))
		if r.IntN(2) == 0 {
			want = -want
		}
		text, err := json.Marshal(want)
		var got Energy
		if err = errors.Join(err, json.Unmarshal(text, &got)); err != nil || got != want {
			t.Fatalf("%d is written as %s and read as %d, %v", want, text, got, err)
		}
		if strings.ContainsAny(string(text), "e") || strings.Contains(string(text), ".") && strings.HasSuffix(string(text), "0") {
			t.Fatalf("%d is written as %s", want, text)
		}
	}
	for v, want := range map[Energy]string{0: "0", 1: "0.000000001", -1_500_000_000: "-1.5", 2_000_000_000: "2"} {
		if v.String() != want {
			t.Errorf("%d: %s, want %s", int64(v), v, want)
		}
	}
	var e Energy
	if err := json.Unmarshal([]byte("1.0000000001"), &e); err == nil {
		t.Error("a digit too many was cut off")
	}
}

// Whatever a subject is divided by, the parts are the whole, to the last digit.
func TestPartsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var keys []usage.Total
		for range 1 + r.IntN(40) {
			keys = append(keys, total(string(rune('a'+r.IntN(4))), string(rune('a'+r.IntN(3))), string(rune('a'+r.IntN(5))), r.ExpFloat64(), r.Float64()/3, r.Float64()*float64(r.IntN(2)), 100*float64(r.IntN(3))))
		}
		want := Sum(keys)
		people, _ := People(keys, func(user string) string { return map[bool]string{true: user, false: "other"}[user < "c"] }, salts())
		var byPerson []Row
		for _, p := range people {
			byPerson = append(byPerson, p.Row)
		}
		for name, rows := range map[string][]Row{
			"projects": Rows(keys, func(k usage.Key) string { return k.Project }, nil),
			"machines": Rows(keys, func(k usage.Key) string { return k.Machine }, nil),
			"people":   byPerson, "whole": {RowOf("", keys, Range{})},
		} {
			var sum Amounts
			for _, row := range rows {
				sum = sum.Plus(row.Amounts())
				if row.Energy != row.Amounts().Energy() || row.Emissions != nil && *row.Emissions != row.Amounts().Emissions() {
					t.Fatalf("the modes of %+v do not add up", row)
				}
			}
			if sum != want {
				t.Fatalf("%s: %+v, want %+v", name, sum, want)
			}
		}
	}
}

// Statements and adjustments are what the store has, whatever happens in any order.
func TestStatementsAndAdjustmentsAreWhatThereIs(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	some := func() Amounts {
		n := func() int64 { return r.Int64N(1e12) - 5e11 }
		return Amounts{Energy(n()), Energy(n()), Energy(n()), Carbon(n()), Carbon(n()), Carbon(n()), Carbon(n())}
	}
	for range 30 {
		var all []Document
		has := map[string]Amounts{}
		for number := 1; number < 12; number++ {
			for month := range has { // what changes
				if r.IntN(3) == 0 {
					has[month] = some()
				}
			}
			changed, err := Adjust(all, func(d Document) (Amounts, error) { return has[d.Month], nil }, func(Document) ([]Reason, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			d := Document{Number: number, Month: time.Date(2026, time.Month(number), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"), Adjustments: changed}
			if r.IntN(5) > 0 { // or nothing is stored
				a := some()
				has[d.Month] = a
				d.Whole = &Whole{Row: Row{
					Busy: a.Busy, Idle: a.Idle, Measured: a.Measured, BusyEmissions: &a.BusyEmissions, IdleEmissions: &a.IdleEmissions,
					MeasuredEmissions: &a.MeasuredEmissions, Embodied: &a.Embodied,
				}}
			}
			all = append(all, d)
			for _, d := range all {
				if told := Told(all, d.Number); told != has[d.Month] {
					t.Fatalf("after %d, of %s was told %+v, and there is %+v", number, d.Month, told, has[d.Month])
				}
			}
			if again, _ := Adjust(all, func(d Document) (Amounts, error) { return has[d.Month], nil }, nil); len(again) != 0 {
				t.Fatalf("told twice: %+v", again)
			}
		}
	}
	broken := errors.New("broken")
	if _, err := Adjust([]Document{{}}, func(Document) (Amounts, error) { return Amounts{}, broken }, nil); !errors.Is(err, broken) {
		t.Errorf("an error is lost: %v", err)
	}
}

func TestNobodyIsSealedWhoIsNobody(t *testing.T) {
	d, people := sample()
	var labels []string
	for _, row := range printed(t, d, people).labelled() {
		labels = append(labels, row.Name)
	}
	if want := []string{"alice", "bob", "carol", "unattributed", "other"}; !reflect.DeepEqual(labels, want) {
		t.Errorf("people %q, want %q", labels, want)
	}
	seals := map[string]bool{}
	for _, p := range d.People {
		if (p.Seal == "") != (p.Label == "other" || p.Label == usage.Unattributed) || seals[p.Seal] && p.Seal != "" {
			t.Errorf("%+v", p)
		}
		seals[p.Seal] = true
	}
	people[1].Label, people[1].Salt = "forgotten-00000000", nil
	after := texts(t, printed(t, d, people))
	for name, text := range after {
		if strings.Contains(text, "bob") || !strings.Contains(text, "forgotten-00000000") {
			t.Errorf("%s does not show the alias of who was forgotten", name)
		}
	}
}

// What comes from outside is text, in every format.
func TestNamesAreText(t *testing.T) {
	d, people := sample()
	d.Member, d.Projects[0].Name, people[0].Label = `<script>alert(1)</script>`, `=HYPERLINK("x")`, `<b>alice`
	p := printed(t, d, people)
	if html := texts(t, p)["html"]; strings.Contains(html, "<script") || strings.Contains(html, "<b>alice") {
		t.Error("a name is markup")
	}
	var b bytes.Buffer
	if err := p.WriteCSV(&b, func(s string) string { return "'" + s }); err != nil || !strings.Contains(b.String(), `"'=HYPERLINK(""x"")"`) {
		t.Errorf("a name is not quoted: %v\n%s", err, b.String())
	}
}

func TestADraftSaysSo(t *testing.T) {
	d, people := sample()
	p, err := Draft(d, people)
	if err != nil {
		t.Fatal(err)
	}
	all := texts(t, p)
	if !p.IsDraft() || !strings.Contains(all["html"], ">DRAFT<") || strings.Contains(all["html"], "Statement 12") || strings.Contains(all["html"], "SHA-256 of") {
		t.Error("the page of a draft is that of a statement")
	}
	if !strings.HasPrefix(all["json"], `{"sha256":"",`) || !strings.Contains(all["json"], `"number":0`) {
		t.Errorf("%.200s", all["json"])
	}
}

// What is not known is said and is never 0.
func TestWhatIsNotThereIsNoData(t *testing.T) {
	d, _ := sample()
	d.Whole, d.Projects, d.Machines, d.People = nil, nil, nil, nil
	all := texts(t, printed(t, d, nil))
	if !strings.Contains(all["html"], "That is no data, not zero.") || strings.Contains(all["html"], "0.000 kWh") {
		t.Error("a month without usage is shown as 0")
	}
	lines := strings.Split(all["csv"], "\n")
	if !strings.HasPrefix(lines[1], "12,group,ISIS,2026-10,total,total,2026-10,,,,,,,,,,,,,,,1490,") {
		t.Errorf("total: %s", lines[1])
	}
	if !strings.HasPrefix(lines[3], "12,group,ISIS,2026-10,year_before,,2025-10,,,,,,,,,,,,,,,1490,0,0,") || !strings.Contains(all["html"], "<td>no data</td>") {
		t.Errorf("a year before: %s", lines[3])
	}
}

func TestNotices(t *testing.T) {
	whole := func(change func(*Whole)) *Whole {
		w := &Whole{Row: Row{Energy: 1}, Hardware: 1}
		change(w)
		return w
	}
	plain := Document{Scope: usage.ScopeAda, Intervals: Intervals{All: 10, Settled: 10}, Whole: whole(func(*Whole) {})}
	for _, c := range []struct {
		name   string
		change func(*Document)
		want   string
	}{
		{"all is well", func(*Document) {}, ""},
		{"nothing stored", func(d *Document) { d.Whole = nil }, "No usage of the whole site is stored for this month. That is no data, not zero."},
		{"not over", func(d *Document) { d.Intervals = Intervals{All: 10, Settled: 7, Ahead: 3} }, "3 of 10 intervals are still to come"},
		{"missing", func(d *Document) { d.Intervals.Missing, d.Intervals.Unasked = 2, 1 }, "3 of 10 intervals have no answer from Prometheus (2 missing, 1 never asked for)"},
		{"empty", func(d *Document) { d.Intervals.Empty = 1 }, "1 of 10 intervals were answered without any usage"},
		{"provisional", func(d *Document) { d.Intervals.Provisional = 4 }, "PROVISIONAL: 4 of 10 intervals may still change"},
		{"no price", func(d *Document) { d.Intervals.Unpriced = 4 }, "PROVISIONAL: 4 of 10 intervals have no carbon intensity yet"},
		{"unpriced energy", func(d *Document) { d.Whole = whole(func(w *Whole) { w.Unpriced = 0.0001 }) }, "less than 0.1 % of the energy has no carbon intensity"},
		{"no known error", func(d *Document) { d.Whole = whole(func(w *Whole) { w.Unbounded = 0.9999 }) }, "The error of more than 99.9 % of the energy is not known"},
		{"nobody's", func(d *Document) { d.Whole = whole(func(w *Whole) { w.Unattributed = 0.5 }) }, "50 % of the energy is of no known person"},
		{"some hardware", func(d *Document) { d.Whole = whole(func(w *Whole) { w.Embodied, w.Hardware = new(Carbon), 0.25 }) }, "Embodied emissions are known of 25 % of the CPU time"},
		{"two bases", func(d *Document) { d.Method.Prices = []Price{{Basis: "a"}, {Basis: "b"}, {Basis: "a"}} }, "more than one kind, which cannot be compared: a, b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := plain
			c.change(&d)
			got := strings.Join(d.Notices(), "\n")
			if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{kwh(EnergyOf(1234567.8914)), "1\u202f234\u202f567.891"},
		{kwh(Energy(1)), "0.000000001"},
		{kwh(Energy(0)), "0.000"},
		{kwh((*Energy)(nil)), "–"},
		{kg(CarbonOf(340)), "0.340"},
		{kg(CarbonOf(0.2)), "0.0002"},
		{dkg(CarbonOf(-340)), "−0.340"},
		{dkwh(EnergyOf(1.2)), "+1.200"},
		{dkwh(0), "0.000"},
		{percent(0.0), "0 %"},
		{percent(1.0), "100 %"},
		{percent(0.00001), "less than 0.1 %"},
		{percent(0.99999), "more than 99.9 %"},
		{percent(0.125), "12.5 %"},
		{percent((*float64)(nil)), "–"},
		{change(90, 100), "−10.0 %"},
		{change(116.2, 100), "+16.2 %"},
		{powerWords("config, devices, lab"), "the configuration, meters of devices, lab"},
		{Reason{"recost", 1}.String(), "recalculated with other watts, PUE or carbon intensity (1 interval)"},
		{because(nil), "no reason is recorded"},
		{monthName("2026-10"), "October 2026"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
