// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// news says that a host had another owner from one interval to another.
func news(from, to usage.Interval) directory.Learned {
	return directory.Learned{Directory: directory.Directory{AsOf: epoch}, Spans: []directory.Span{{Host: "h", From: from.Start, To: to.End()}}}
}

func TestWhatTheDirectoryKnowsMoreOfIsDueAgain(t *testing.T) {
	s := newStore(t)
	now := at(6).End()
	schedule(t, s, at(1), now)
	commit(t, s, threeKeys(at(1)), withPrice(threeKeys(at(2)), 200, usage.Provisional), withPrice(threeKeys(at(3)), 200, usage.Settled),
		usage.Record{Interval: at(4), State: usage.Empty, FetchedAt: now}, threeKeys(at(6)))
	want(t, "one was never asked for", due(t, s, now, 9), "5")
	if n := saveDirectory(t, s, news(at(0), at(5)), false); n != 2 {
		t.Errorf("%d are stale, want 2", n)
	}
	want(t, "those with facts that may change", due(t, s, now, 9), "1unpriced 2provisional")
	if n := saveDirectory(t, s, news(at(0), at(5)), false); n != 0 {
		t.Errorf("%d are stale that were not before", n)
	}

	if err := s.Failed(t.Context(), []usage.Interval{at(1), at(3), at(4), at(6)}, errors.New("refused"), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	want(t, "one is put off", due(t, s, now, 9), "2provisional")
	want(t, "and counts its attempts", due(t, s, now.Add(time.Minute), 9), "1unpriced(1) 2provisional")
	if err := s.RetryNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "until all is taken up", due(t, s, now, 9), "1unpriced(1) 2provisional")

	if err := reprice(t.Context(), s, at(1), priced(at(1), 90), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	want(t, "a price is no answer", due(t, s, now, 9), "1provisional(1) 2provisional")
	if err := reprice(t.Context(), s, at(1), priced(at(1), 90), usage.Settled); err != nil {
		t.Fatal(err)
	}
	want(t, "what is settled stays", due(t, s, now, 9), "2provisional")
	if _, why := stateOf(t, s, at(1)); why != "" {
		t.Errorf("a settled interval has failed: %q", why)
	}
	commit(t, s, withPrice(threeKeys(at(2)), 200, usage.Provisional))
	want(t, "the others are answered", due(t, s, now, 9), "5")
	if n := len(readRows(t, s.reader, "SELECT 1 FROM usage_interval WHERE state = 'settled' AND retry_at IS NOT NULL")); n != 0 {
		t.Errorf("%d settled intervals are due", n)
	}
}

func TestASecondAnswerNeverHasLess(t *testing.T) {
	scaled := func(by float64, again bool) given {
		rec := threeKeys(at(1))
		for i := range rec.Facts {
			rec.Facts[i].CPU.Busy *= usage.CPUSeconds(by)
			rec.Facts[i].CPU.Idle *= usage.CPUSeconds(by)
			rec.Facts[i].Energy.Busy *= usage.KWh(by)
			rec.Facts[i].Energy.Idle *= usage.KWh(by)
		}
		return with(rec, usage.Policy{Again: again})
	}
	other := with(unpriced(at(1), fact(muonB, at(1).Start, 0.07, 0.021)), usage.Policy{Again: true})
	for _, c := range []struct {
		name string
		rec  given
		kept bool // what there was
	}{
		{"half of it, asked again", scaled(0.5, true), true},
		{"a little less than is forgiven", scaled(0.9985, true), true},
		{"less by what is forgiven", scaled(0.9995, true), false},
		{"more", scaled(1.5, true), false},
		{"as much, of another user", other, false},
		{"half of it, not asked again: whoever does it over means it", scaled(0.5, false), false},
		{"nothing", with(usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: at(9).Start}, usage.Policy{AskAgain: at(9).Start, Again: true}), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			commit(t, s, threeKeys(at(1)))
			before := dump(t, s)
			saveDirectory(t, s, news(at(1), at(1)), false)
			want(t, "asked again", due(t, s, at(9).Start, 9), "1unpriced")
			commit(t, s, c.rec)
			want(t, "after the answer", due(t, s, at(99).Start, 9), "")
			execute(t, s.writer, "DELETE FROM setting WHERE name = 'directory_as_of'")
			if after := dump(t, s); (after == before) != c.kept {
				t.Errorf("kept: %v, want %v\n%s", after == before, c.kept, after)
			}
			holdSums(t, s)
			holdTotals(t, s)
		})
	}
}

func TestAnEstimateOfTheFutureLeavesWithIt(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(1), at(3).End())
	commit(t, s, withHosts(threeKeys(at(1)), at(1).Start, "a:1"))
	active(t, s, at(2).Start, usage.Active{Key: muonA, Host: "a:1", Started: epoch})
	commit(t, s, usage.Record{Interval: at(2), State: usage.Empty, FetchedAt: at(3).Start}, usage.Record{Interval: at(3), State: usage.Empty, FetchedAt: at(3).Start})
	estimate(t, s)
	schedule(t, s, at(1), at(2).End())
	if rows := readRows(t, s.reader, "SELECT start FROM workspace_usage WHERE start >= ?", at(3).Start.Unix()); len(rows) != 0 {
		t.Errorf("%d estimates of the future", len(rows))
	}
	schedule(t, s, at(1), at(3).End())
	commit(t, s, withHosts(threeKeys(at(3)), at(3).Start, "a:1"))
}
