// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var rewriteAnswers = flag.Bool("update", false, "write what the stores in testdata answer")

// Stores that former programs wrote, as SQL, and what those programs read from
// them, with every float as its bits. The SQL is never changed. The answers are only
// written anew when a question is added.
func TestAStoreWrittenBeforeGivesTheSameNumbers(t *testing.T) {
	stores, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(stores) == 0 {
		t.Fatalf("no stores to open: %v", err)
	}
	for _, name := range stores {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".sql"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "carbon.db")
			if err := database(t, path, string(text)).Close(); err != nil {
				t.Fatal(err)
			}
			for _, o := range []Options{{}, {Exclusive: true}} {
				s := openStore(t, path, o)
				got, golden := answers(t, s), strings.TrimSuffix(name, ".sql")+".txt"
				if *rewriteAnswers {
					if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				sameLines(t, got, string(want))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			verdicts, err := Verify(t.Context(), path, later, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				if v.Count > 0 {
					t.Errorf("%s: %q", v.Check, v.Faults)
				}
			}
		})
	}
}

// sameLines names the first lines that differ.
func sameLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i, shown := 0, 0; i < max(len(g), len(w)) && shown < 10; i++ {
		line := func(all []string) string {
			if i < len(all) {
				return all[i]
			}
			return "(nothing)"
		}
		if line(g) != line(w) {
			t.Errorf("line %d is\n%s\nwant\n%s", i+1, line(g), line(w))
			shown++
		}
	}
}

// bits writes numbers so that no two differ that are written alike. What is not
// known is "-".
func bits[T ~float64](values ...T) string {
	var all []string
	for _, v := range values {
		all = append(all, strconv.FormatFloat(float64(v), 'x', -1, 64))
	}
	return strings.Join(all, " ")
}

func orDash[T ~float64](v *T) string {
	if v == nil {
		return "-"
	}
	return bits(*v)
}

func pair[T ~float64](v usage.BusyIdle[T]) string { return bits(v.Busy, v.Idle) }

// modes leaves out what no older store has.
func modes[T ~float64](v usage.ByMode[T]) string {
	if v.Measured != 0 {
		return bits(v.Busy, v.Idle, v.Measured)
	}
	return bits(v.Busy, v.Idle)
}

func modesOrDash[T ~float64](v *usage.ByMode[T]) string {
	if v == nil {
		return "- -"
	}
	return modes(*v)
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func keyed(k usage.Key) string {
	return strings.Join([]string{k.Project, k.Machine, k.User, k.Group}, "/")
}

// answers is all that a store says, one line a fact.
func answers(t *testing.T, s *Store) string {
	t.Helper()
	a := &asking{t: t, s: s}
	a.summary()
	a.accounts()
	a.intervals()
	a.followers()
	a.factors()
	a.people()
	return a.text.String()
}

type asking struct {
	t    *testing.T
	s    *Store
	text strings.Builder
}

func (a *asking) say(format string, args ...any) { fmt.Fprintf(&a.text, format+"\n", args...) }

func (a *asking) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// sorted gives the items of a map in order.
func sorted[V any](m map[string]V, f func(name string, v V)) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f(name, m[name])
	}
}

func (a *asking) coverage(what string, all map[string]usage.Coverage) {
	sorted(all, func(project string, c usage.Coverage) {
		a.say("%s coverage %s %s", what, project, bits(c.Seen, c.Capacity))
	})
}

func (a *asking) summary() {
	sum, err := a.s.Summary(a.t.Context())
	a.must(err)
	for _, u := range sum.Totals {
		a.say("total %s last %s cpu %s kwh %s g %s %v settled kwh %s g %s", keyed(u.Key), when(u.Last),
			pair(u.CPU), modes(u.Energy), modes(u.Emissions), u.Priced, modes(u.SettledEnergy), modes(u.SettledEmissions))
	}
	for _, state := range usage.States() {
		a.say("state %s %d", state, sum.States[state])
	}
	a.say("unpriced %s", bits(sum.Unpriced))
	a.say("machines %q", sum.Machines)
	a.say("newest %s", sum.Newest.Interval)
	for _, u := range sum.Newest.Usage {
		a.say("newest %s kwh %s g %s %v", keyed(u.Key), modes(u.Energy), modes(u.Emissions), u.Priced)
	}
	a.coverage("newest", sum.Attended.Coverage)
}

func (a *asking) span() usage.Period {
	p, ok, err := a.s.Span(a.t.Context())
	a.must(err)
	if !ok {
		a.t.Fatal("the store is empty")
	}
	return p
}

// accounts asks for all days, each day, and one period of no whole days.
func (a *asking) accounts() {
	p, zone := a.span(), a.s.Timezone()
	a.say("span %s %s interval %v zone %s", when(p.From), when(p.To), a.s.Interval(), zone)
	year, month, date := p.From.In(zone).Date()
	midnight := func(n int) time.Time { return time.Date(year, month, date+n, 0, 0, 0, 0, zone) }
	periods := []usage.Period{{From: p.From, To: p.To.Add(48 * time.Hour)}}
	for n := 0; midnight(n).Before(p.To); n++ {
		periods = append(periods, usage.Period{From: midnight(n), To: midnight(n + 1)})
	}
	last := periods[len(periods)-1]
	periods = append(periods, usage.Period{From: last.From.Add(3 * time.Hour), To: p.To.Add(-2 * time.Hour)})
	accounts, err := a.s.Accounts(a.t.Context(), periods...)
	a.must(err)
	for _, account := range accounts {
		a.say("account %s %s missing %v unpriced %v", when(account.From), when(account.To), account.Missing, account.Unpriced)
		for _, u := range account.Keys() {
			a.say("  key %s cpu %s kwh %s g %s %v settled kwh %s g %s", keyed(u.Key), pair(u.CPU), modes(u.Energy),
				modes(u.Emissions), u.Priced, modes(u.SettledEnergy), modes(u.SettledEmissions))
		}
		for _, scope := range usage.Scopes() {
			for _, m := range account.By(scope) {
				a.say("  %s %s cpu %s kwh %s g %s %v unpriced %s provisional %s forecast %s unattributed %s doubt %s undoubted %s",
					scope, m.Name, pair(m.CPU), modes(m.Energy), modes(m.Emissions), m.Priced, bits(m.Unpriced),
					bits(m.Provisional), bits(m.Forecast), bits(m.Unattributed), bits(m.Down), bits(m.Undoubted))
			}
		}
		coverage, err := a.s.Coverage(a.t.Context(), account.Period)
		a.must(err)
		a.coverage("  all", coverage)
	}
}

// intervals asks for all that is known of each.
func (a *asking) intervals() {
	ctx, p := a.t.Context(), a.span()
	known, err := a.s.Known(ctx, usage.Period{From: p.From, To: p.To.Add(48 * time.Hour)})
	a.must(err)
	for _, start := range slices.SortedFunc(maps.Keys(known), time.Time.Compare) {
		proof, err := a.s.Proof(ctx, usage.Interval{Start: start, Length: a.s.Interval()})
		a.must(err)
		a.proof(proof)
	}
	gaps, err := a.s.Gaps(ctx, usage.Period{})
	a.must(err)
	for _, g := range gaps {
		a.say("gap %s %s %s %d attempts %d %q", when(g.From), when(g.To), g.State, g.Intervals, g.Attempts, g.Error)
	}
	pending, err := a.s.Pending(ctx)
	a.must(err)
	for _, p := range pending {
		a.say("pending %s %s %d prices again %v", p.Interval, p.State, len(p.Prices), p.Again)
	}
	a.must(a.s.ReplayMembers(ctx, p, func(m usage.Member) error {
		a.say("member %s %s %s %s cpu %s kwh %s g %s at %s", m.Interval, m.State, m.Scope, m.Name,
			pair(m.CPU), modes(m.Energy), modesOrDash(m.Emissions), orDash(m.Intensity))
		return nil
	}))
}

func (a *asking) proof(p usage.Proof) {
	a.say("interval %s %s pruned %v pue %s asked %q %q fetched %s attempts %d %q retry %s", p.Interval, p.State, p.Pruned,
		bits(p.PUE), p.Queries.Busy, p.Queries.Idle, when(p.FetchedAt), p.Attempts, p.Error, when(p.RetryAt))
	facts := slices.Clone(p.Facts) // whatever order they are stored in
	slices.SortFunc(facts, func(a, b usage.Fact) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return a.Compare(b.Key)
	})
	for _, f := range facts {
		a.say("  fact %s %s cpu %s kwh %s", when(f.Start), keyed(f.Key), pair(f.CPU), modes(f.Energy))
	}
	price := func(p usage.Price) string {
		return fmt.Sprint(bits(p.Intensity), " ", p.Kind, " ", p.Provider, " ", p.Grid)
	}
	for _, c := range p.Prices {
		a.say("  price %s %s slot %s fetched %s", when(c.Start), price(c.Price), when(c.SlotFrom), when(c.FetchedAt))
	}
	for _, r := range p.Ratings {
		a.say("  rating %s %s %s error %s", r.Machine, pair(r.Watts), r.Source, orDash(r.Error))
	}
	a.coverage("  its", p.Coverage)
	sorted(p.Labels, func(project string, l usage.LabelPresence) {
		a.say("  labels %s %v %v %v %v", project, l.Project, l.Machine, l.Host, l.User)
	})
	for _, h := range p.Hosts {
		a.say("  host %s %s %s %s cpu %s kwh %s", h.Host, h.Machine, when(h.Start), when(h.Until), pair(h.CPU), modes(h.Energy))
	}
	for _, slot := range p.Slots {
		a.say("  slot %s %s %s %s %s %q fetched %s", slot.Provider, slot.Grid, when(slot.From), orDash(slot.Forecast), orDash(slot.Actual), slot.Index, when(slot.FetchedAt))
	}
	for _, c := range p.Changes { // but for when: that is the clock of the writing program
		a.say("  change %s %s was %s %s is %s %s", when(c.Piece), c.Why, price(c.Was), bits(c.EnergyWas), price(c.Is), bits(c.EnergyIs))
	}
}

// followers asks as one who has followed for a while and as one who begins.
func (a *asking) followers() {
	for _, name := range []string{"mongodb_usage", "another"} {
		n, err := a.s.RollupsPending(a.t.Context(), name)
		a.must(err)
		a.say("unposted %s %d", name, n)
		all, err := a.s.Rollups(a.t.Context(), name, 1000)
		a.must(err)
		for _, p := range all {
			a.say("posting %s %s revision %d at %s", p.Interval, p.State, p.Revision, orDash(p.Intensity))
			for _, of := range []struct {
				what string
				all  []usage.RollupMember
			}{{"group", p.Groups}, {"user", p.Users}} {
				for _, m := range of.all {
					a.say("  %s %s cpu %s kwh %s g %s", of.what, m.Name, pair(m.CPU), modes(m.Energy), modesOrDash(m.Emissions))
				}
			}
		}
	}
}

func (a *asking) factors() {
	ctx, p := a.t.Context(), a.span()
	ratings, err := a.s.MachineAverages(ctx, p.From)
	a.must(err)
	sorted(ratings, func(name string, r usage.Rating) {
		a.say("average %s %s %s error %s", name, pair(r.Watts), r.Source, orDash(r.Error))
	})
	grids, err := a.s.Grids(ctx)
	a.must(err)
	for _, g := range grids {
		a.say("grid %s %s", g.Provider, g.Grid)
		errs, err := a.s.ForecastErrors(ctx, g.Provider, g.Grid, p.From)
		a.must(err)
		for _, e := range errs {
			a.say("forecast error %v %s of %d", e.Ahead, bits(e.Mean), e.Pairs)
		}
	}
	used, err := a.s.ForecastsUsed(ctx, p, usage.ForecastLeads()[0], p.From)
	a.must(err)
	for _, e := range used {
		a.say("forecasts used %s %s %v %s of %d", e.Provider, e.Grid, e.Ahead, bits(e.Mean), e.Pairs)
	}
	seen, err := alone(ctx, a.s, (*View).Sightings)
	a.must(err)
	a.say("sighted to %s", when(seen.Newest))
	for _, d := range seen.Days {
		a.say("sighted %s %s last %s share %s %v %v %v %v", d.Project, when(d.Day), when(d.Last), bits(d.Share), d.LabelPresence.Project, d.Machine, d.Host, d.User)
	}
	sorted(seen.Now, func(project string, l usage.LabelPresence) {
		a.say("now %s %v %v %v %v", project, l.Project, l.Machine, l.Host, l.User)
	})
}

func (a *asking) people() {
	ctx := a.t.Context()
	names, err := a.s.DisplayNames(ctx)
	a.must(err)
	sorted(names, func(user, name string) { a.say("name %s %q", user, name) })
	d, err := a.s.Directory(ctx)
	a.must(err)
	a.say("directory as of %s", when(d.AsOf))
	for _, x := range d.Tenures {
		a.say("tenure %s %s %q %s %s", x.Document, x.Host, x.Owner, when(x.From), when(x.To))
	}
	for _, x := range d.People {
		a.say("person %s %q", x.ID, x.Name)
	}
	for _, x := range d.Memberships {
		a.say("membership %s %s %s %s", x.User, x.Group, when(x.From), when(x.To))
	}
	for _, x := range d.Hosts {
		a.say("placement %s %q %q", x.Host, x.Project, x.Machine)
	}
	shown, err := a.s.Shown(ctx)
	a.must(err)
	sorted(shown.Users, func(user string, named bool) { a.say("shown %s %v", user, named) })
	elsewhere := map[string]usage.SettledUsage{}
	for k, u := range shown.Elsewhere {
		elsewhere[keyed(k)] = u
	}
	sorted(elsewhere, func(k string, u usage.SettledUsage) {
		a.say("shown elsewhere %s kwh %s g %s", k, modes(u.Energy), modes(u.Emissions))
	})
	active, err := a.s.Active(ctx)
	a.must(err)
	for _, u := range active {
		a.say("workspace %s %s since %s kwh %s g %s %v estimated %s", u.Host, keyed(u.Key), when(u.Started), modes(u.Energy), modes(u.Emissions), u.Priced, bits(u.Estimated))
	}
}
