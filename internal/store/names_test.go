// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"context"
	"errors"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestNamesOfAnyKindComeBack(t *testing.T) {
	s := newStore(t)
	var facts []usage.Fact
	for _, name := range []string{`"quoted"`, `back\slash`, "new\nline", "☢", "a\x00b", "a", "\xff\xfe", "'; DROP TABLE dim_user; --", ""} {
		facts = append(facts, fact(key(name, name, name+"u", name), at(1).Start, 1, 1))
	}
	commit(t, s, unpriced(at(1), facts...))
	path := s.path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openStore(t, path, Options{})
	keys := map[usage.Key]bool{}
	for _, total := range summary(t, again).Totals {
		keys[total.Key] = true
	}
	for _, f := range facts {
		if !keys[f.Key] {
			t.Errorf("%q did not come back", f.Key)
		}
	}
	before := dump(t, again)
	commit(t, again, unpriced(at(1), facts...))
	if dump(t, again) != before {
		t.Error("names from the file are others than those that went in")
	}
}

func TestNamesOfAFailedTransactionAreForgotten(t *testing.T) {
	s := newStore(t)
	execute(t, s.writer, `CREATE TRIGGER fail BEFORE INSERT ON usage_fact BEGIN SELECT RAISE(ABORT, 'no'); END`)
	if err := commitOne(t.Context(), s, threeKeys(at(1))); err == nil {
		t.Fatal("the trigger did not fail")
	}
	execute(t, s.writer, "DROP TRIGGER fail")
	// Other names take the ids that were rolled back.
	commit(t, s, unpriced(at(1), fact(artemisA, at(1).Start, 1, 1)), threeKeys(at(2)))
	if n := len(readRows(t, s.reader, "PRAGMA foreign_key_check")); n > 0 {
		t.Errorf("%d rows refer to nothing", n)
	}
	sum := summary(t, s)
	if len(sum.Totals) != 4 || sum.Totals[0].Key != artemisA || sum.Totals[0].Energy.Busy != 1 {
		t.Errorf("totals are %+v", sum.Totals)
	}
}

func TestACancelledCommitLeavesNothing(t *testing.T) {
	s := newStore(t)
	before := dump(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := commitOne(ctx, s, threeKeys(at(1))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if dump(t, s) != before {
		t.Error("something was written")
	}
	commit(t, s, threeKeys(at(1)))
}
