// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTwoProgramsOnOneFileSeeEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	daemon := openStore(t, path, Options{Exclusive: true, Interval: half})
	tool := openStore(t, path, Options{})
	commit(t, daemon, withPrice(threeKeys(at(5)), 200, usage.Provisional))
	commit(t, tool, withPrice(unpriced(at(1), fact(artemisA, at(1).Start, 1, 1), fact(muonA, at(1).Start, 1, 1)), 100, usage.Settled))
	commit(t, daemon, unpriced(at(6), fact(artemisA, at(6).Start, 2, 2)))
	if got, want := summary(t, daemon), summary(t, tool); !reflect.DeepEqual(got, want) {
		t.Errorf("one sees %+v, the other %+v", got, want)
	}
	if err := reprice(t.Context(), tool, at(6), priced(at(6), 50), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	if n := len(summary(t, daemon).Totals); n != 4 {
		t.Errorf("%d keys, want 4", n)
	}
	holdTotals(t, daemon)
	holdSums(t, daemon)
}

func TestOneStoreManyGoroutines(t *testing.T) {
	s := newStore(t)
	var all sync.WaitGroup
	failed := make(chan error, 100)
	for worker := range 4 {
		all.Go(func() {
			for n := range 5 {
				i := at(worker*5 + n)
				k := key("p", "m", fmt.Sprint("u", worker, n), "g")
				if err := commitOne(t.Context(), s, unpriced(i, fact(k, i.Start, 1, 1), fact(muonA, i.Start, 1, 1))); err != nil {
					failed <- err
				}
				if _, err := s.Summary(t.Context()); err != nil {
					failed <- err
				}
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if sum := summary(t, s); len(sum.Totals) != 21 || sum.Totals[0].Energy.Busy != 20 {
		t.Errorf("%d keys, %+v", len(sum.Totals), sum.Totals[0])
	}
	holdTotals(t, s)
}

func TestWhatAnotherProgramWritesIsNoticedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	daemon := openStore(t, path, Options{Exclusive: true, Interval: half})
	want := func(what string, want bool) {
		t.Helper()
		if wrote, err := daemon.Others(t.Context()); wrote != want || err != nil {
			t.Errorf("%s: another has written is %v, %v", what, wrote, err)
		}
	}
	want("nothing", false)
	tool := openStore(t, path, Options{})
	want("one that tries whether it can write", true)
	commit(t, daemon, threeKeys(at(1)))
	summary(t, daemon)
	want("its own commit", false)
	commit(t, tool, threeKeys(at(2)))
	want("a commit", true)
	want("nothing more", false)
	summary(t, tool)
	want("a look", false)
	forgetNow(t, tool, "a")
	want("a person who is forgotten", true)
	want("nothing more", false)
	if err := tool.Close(); err != nil {
		t.Fatal(err)
	}
	want("its end", false)
}
