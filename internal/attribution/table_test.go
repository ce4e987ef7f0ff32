// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// row is a row about host h.
type row struct {
	owner    string
	from, to float64
	seen     float64 // 0: when it was read
}

func undated(owner string) row { return row{owner: owner, from: none, to: none} }

func tableOf(at float64, rows ...row) directory.Census {
	c := directory.Census{AsOf: hour(at), Table: true}
	for _, r := range rows {
		claim := directory.Claim{Of: "h", Holder: r.owner, From: hour(r.from), To: hour(r.to)}
		if r.seen > 0 {
			claim.Seen = hour(r.seen)
		}
		c.Owners = append(c.Owners, claim)
		claim.Of, claim.Holder = "u", "in "+r.owner
		c.Members = append(c.Members, claim)
	}
	return c
}

// ownersInWords says who had host h at every half hour of a day, one letter each.
func ownersInWords(d directory.Directory) string {
	x, words := NewIndex(d), ""
	for at := 0.5; at < 12; at++ {
		owners := x.ownersAt("h", hour(at))
		switch len(owners) {
		case 0:
			words += "-"
		case 1:
			words += owners[0]
		default:
			words += fmt.Sprint(len(owners))
		}
	}
	return words
}

func groupsInWords(d directory.Directory) string {
	x, words := NewIndex(d), ""
	for at := 0.5; at < 12; at++ {
		if group := x.group("u", hour(at)); group != "" {
			words += group[len("in "):]
		} else {
			words += "-"
		}
	}
	return words
}

func TestATableIsRightForTheTimesThatItNames(t *testing.T) {
	dated := func(owner string, from, to float64) row { return row{owner: owner, from: from, to: to} }
	for _, c := range []struct {
		name     string
		readings []directory.Census
		want     string // one letter for each hour
	}{
		{"times as they are", []directory.Census{tableOf(8, dated("A", 1, 3), dated("B", 3, none))}, "-AABBBBBBBBB"},
		{"no times: always", []directory.Census{tableOf(8, undated("A"))}, "AAAAAAAAAAAA"},
		{"no times and another owner: since it was read", []directory.Census{tableOf(5, undated("A")), tableOf(8, undated("B"))}, "AAAAAAAABBBB"},
		{"and back", []directory.Census{tableOf(5, undated("A")), tableOf(8, undated("B")), tableOf(10, undated("A"))}, "AAAAAAAABBAA"},
		{"the row is gone: the past stays", []directory.Census{tableOf(5, undated("A")), tableOf(8)}, "AAAAAAAA----"},
		{"and comes back", []directory.Census{tableOf(5, undated("A")), tableOf(8), tableOf(10, undated("A"))}, "AAAAAAAA--AA"},
		{"an end is written", []directory.Census{tableOf(5, dated("A", 1, none)), tableOf(8, dated("A", 1, 4))}, "-AAA--------"},
		{"an end to what always was", []directory.Census{tableOf(5, undated("A")), tableOf(8, row{owner: "A", from: none, to: 4})}, "AAAA--------"},
		{"until then one, then the other", []directory.Census{tableOf(8, row{owner: "A", from: none, to: 4}, dated("B", 4, none))}, "AAAABBBBBBBB"},
		{"an end in the future", []directory.Census{tableOf(5, row{owner: "A", from: none, to: 9}), tableOf(7, row{owner: "A", from: none, to: 9})}, "AAAAAAAAA---"},
		{"the wrong owner is corrected for all the time", []directory.Census{tableOf(5, dated("B", 1, none)), tableOf(8, dated("A", 1, none))}, "-AAAAAAAAAAA"},
		{"the row of the first is replaced by that of the next", []directory.Census{tableOf(5, dated("A", 1, none)), tableOf(8, dated("B", 6, none))}, "-AAAAABBBBBB"},
		{"an older row is added", []directory.Census{tableOf(5, dated("B", 4, none)), tableOf(8, dated("A", 1, 4), dated("B", 4, none))}, "-AAABBBBBBBB"},
		{"an older row without a start is added", []directory.Census{tableOf(5, dated("B", 4, none)), tableOf(8, row{owner: "A", from: none, to: 4}, dated("B", 4, none))}, "AAAABBBBBBBB"},
		{"older rows are taken out", []directory.Census{tableOf(5, dated("A", 1, 3), dated("B", 3, none)), tableOf(8, dated("B", 3, none))}, "-AABBBBBBBBB"},
		{"a stay in between", []directory.Census{tableOf(5, undated("A")), tableOf(8, undated("A"), dated("B", 6, 7))}, "AAAAAABAAAAA"},
		{"nobody's, as a row says", []directory.Census{tableOf(5, dated("A", 1, none)), tableOf(8, dated("", 6, none))}, "-AAAAA------"},
		{"a row of the future", []directory.Census{tableOf(5, undated("A"), dated("B", 9, 11))}, "AAAAAAAAABBA"},
		{"two rows with times share", []directory.Census{tableOf(5, dated("A", 1, none), dated("B", 9, 11))}, "-AAAAAAAA22A"},
		{"a row of the future is withdrawn", []directory.Census{tableOf(5, dated("B", 9, 11)), tableOf(8, dated("A", 1, none))}, "-AAAAAAAAAAA"},
		{"two share, and one leaves", []directory.Census{tableOf(5, undated("A"), undated("B")), tableOf(8, undated("B"))}, "22222222BBBB"},
		{"another joins", []directory.Census{tableOf(5, undated("A")), tableOf(8, undated("A"), undated("B"))}, "AAAAAAAA2222"},
		{"a change that was seen before it was read", []directory.Census{tableOf(5, undated("A")), tableOf(8, row{owner: "B", from: none, to: none, seen: 6})}, "AAAAAABBBBBB"},
		{"a row that ends before it begins says nothing", []directory.Census{tableOf(5, dated("A", 4, 2))}, "------------"},
		{"the same row with two ends", []directory.Census{tableOf(5, dated("A", 1, 2), dated("A", 1, 4))}, "-AAA--------"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l directory.Learned
			for _, reading := range c.readings {
				known := l.Directory
				l = Learn(known, reading)
				isHistory(t, l.Directory.Tenures)
				spansCover(t, l.Spans, NewIndex(known), NewIndex(l.Directory), "h", hour(13))
				sameTableInAnyOrder(t, known, reading, l, rand.New(rand.NewSource(1)))
			}
			if got := ownersInWords(l.Directory); got != c.want {
				t.Errorf("owners: got %s, want %s", got, c.want)
			}
			last := c.readings[len(c.readings)-1]
			for range 2 {
				last.AsOf = last.AsOf.Add(shortest)
				l = Learn(l.Directory, last)
				isNothingNew(t, l)
			}
		})
	}
}

// Groups follow the same rules as owners. Of several at once the first by name counts.
func TestATableIsRightForGroups(t *testing.T) {
	dated := func(owner string, from, to float64) row { return row{owner: owner, from: from, to: to} }
	for _, c := range []struct {
		name     string
		readings []directory.Census
		want     string
	}{
		{"times as they are", []directory.Census{tableOf(8, dated("A", 1, 3), dated("B", 3, none))}, "-AABBBBBBBBB"},
		{"another group: since it was read", []directory.Census{tableOf(5, undated("A")), tableOf(8, undated("B"))}, "AAAAAAAABBBB"},
		{"the wrong group is corrected for all the time", []directory.Census{tableOf(5, dated("B", 1, none)), tableOf(8, dated("A", 1, none))}, "-AAAAAAAAAAA"},
		{"and was that of all time", []directory.Census{tableOf(5, undated("B")), tableOf(8, dated("A", 2, none))}, "BBAAAAAAAAAA"},
		{"a stay in between", []directory.Census{tableOf(5, dated("B", 1, none)), tableOf(8, dated("A", 3, 5))}, "-BBAABBB----"},
		{"gone and back", []directory.Census{tableOf(5, undated("A")), tableOf(8), tableOf(10, undated("A"))}, "AAAAAAAA--AA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l directory.Learned
			for _, reading := range c.readings {
				known := l.Directory
				l = Learn(known, reading)
				before, after := NewIndex(known), NewIndex(l.Directory)
				for at := hour(0); at.Before(hour(12)); at = at.Add(shortest * 600) {
					anybody := slices.ContainsFunc(l.Spans, func(s directory.Span) bool { return s.Host == "" && holds(s, at) })
					if before.group("u", at) != after.group("u", at) && !anybody && at.Before(reading.AsOf) {
						t.Fatalf("at %v the group has become %q and no span says so", at, after.group("u", at))
					}
				}
			}
			if got := groupsInWords(l.Directory); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			last := c.readings[len(c.readings)-1]
			last.AsOf = last.AsOf.Add(shortest)
			isNothingNew(t, Learn(l.Directory, last))
		})
	}
}

func TestATableKeepsWhatItCannotRead(t *testing.T) {
	l := Learn(directory.Directory{}, tableOf(5, undated("A")))
	c := tableOf(8)
	c.Refused = map[string]bool{"h": true}
	if got := ownersInWords(Learn(l.Directory, c).Directory); got != "AAAAAAAAAAAA" {
		t.Errorf("owners: %s", got)
	}
}

// A site that has had MongoDB goes on with a table, and back.
func TestATableFollowsRecords(t *testing.T) {
	records := directory.Census{
		AsOf: hour(5), People: []directory.Person{{ID: "A", Name: "Ada"}},
		Workspaces: []directory.Workspace{{Document: "d", Host: "h", Owner: "A", Created: hour(1)}, {Document: "e", Host: "g", Owner: "A", Created: hour(1)}},
	}
	l := Learn(directory.Directory{}, records)
	for _, c := range []struct {
		name string
		row  row
		want string
	}{
		{"the same owner", undated("A"), "-AAAAAAAAAAA"},
		{"another", undated("B"), "-AAAAAAABBBB"},
		{"from the same time", row{owner: "A", from: 1, to: none}, "-AAAAAAAAAAA"},
		{"from another time", row{owner: "B", from: 4, to: none}, "-AAABBBBBBBB"},
	} {
		table := tableOf(8, c.row)
		table.People = []directory.Person{{ID: "A"}, {ID: "B"}}
		next := Learn(l.Directory, table)
		isHistory(t, next.Directory.Tenures)
		if got := ownersInWords(next.Directory); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if owners := NewIndex(next.Directory).ownersAt("g", hour(9)); len(owners) != 0 {
			t.Errorf("%s: %v has a host that the table lacks", c.name, owners)
		}
		if p := next.Directory.People[0]; p.Name != "Ada" {
			t.Errorf("%s: the name of A became %q", c.name, p.Name)
		}
		records.AsOf = hour(10)
		isHistory(t, Learn(next.Directory, records).Directory.Tenures)
	}
}

// Whatever was read before, a table whose rows have times is right for all of them; what was
// known of other times before the last reading stays; and its order does not matter.
func TestAnyTablesMakeAHistory(t *testing.T) {
	for seed := range int64(300) {
		r := rand.New(rand.NewSource(seed))
		var known directory.Directory
		for h := 1; h < 10; h++ {
			c := directory.Census{AsOf: hour(float64(h)), Table: true}
			for range r.Intn(6) {
				claim := directory.Claim{Of: []string{"h", "g"}[r.Intn(2)], Holder: []string{"A", "B", "C"}[r.Intn(3)]}
				if r.Intn(3) > 0 {
					claim.From = hour(float64(r.Intn(11)))
				}
				if r.Intn(2) > 0 {
					claim.To = hour(float64(r.Intn(12)))
				}
				c.Owners = append(c.Owners, claim)
				c.Members = append(c.Members, claim)
			}
			l := Learn(known, c)
			isHistory(t, l.Directory.Tenures)
			before, after := NewIndex(known), NewIndex(l.Directory)
			for _, host := range []string{"h", "g"} {
				spansCover(t, l.Spans, before, after, host, hour(13))
				for at := 0.5; at < 12; at++ {
					isClaimed(t, seed, c.Owners, after, host, at)
				}
			}
			sameTableInAnyOrder(t, known, c, l, r)
			again := Learn(l.Directory, c)
			isNothingNew(t, again)
			c.AsOf = c.AsOf.Add(shortest)
			isNothingNew(t, Learn(again.Directory, c))
			known = again.Directory
		}
	}
}

// isClaimed wants the owners of all rows with times to have the host at a time in them, and
// nobody else.
func isClaimed(t *testing.T, seed int64, rows []directory.Claim, x *Index, host string, at float64) {
	t.Helper()
	owners := x.ownersAt(host, hour(at))
	said := map[string]bool{}
	for _, c := range rows {
		if c.Of == host && !c.From.IsZero() && !hour(at).Before(c.From) && (c.To.IsZero() || hour(at).Before(c.To)) {
			said[c.Holder] = true
		}
	}
	for owner := range said {
		if !slices.Contains(owners, owner) {
			t.Fatalf("seed %d: %s at %v is %v's, and a row says %s's", seed, host, at, owners, owner)
		}
	}
	for _, owner := range owners {
		if len(said) > 0 && !said[owner] {
			t.Fatalf("seed %d: %s at %v is %v's, and rows say %v", seed, host, at, owners, said)
		}
	}
}

func sameTableInAnyOrder(t *testing.T, known directory.Directory, c directory.Census, want directory.Learned, r *rand.Rand) {
	t.Helper()
	c.Owners, c.Members = slices.Clone(c.Owners), slices.Clone(c.Members)
	r.Shuffle(len(c.Owners), func(i, j int) { c.Owners[i], c.Owners[j] = c.Owners[j], c.Owners[i] })
	r.Shuffle(len(c.Members), func(i, j int) { c.Members[i], c.Members[j] = c.Members[j], c.Members[i] })
	sameInAnyOrder(t, known, c, want, r)
}
