// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAFullDisk(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional))
	before := dump(t, s)
	pages := readRows(t, s.writer, "PRAGMA page_count")[0][0].(int64)
	execute(t, s.writer, fmt.Sprintf("PRAGMA max_page_count=%d", pages+2))

	var facts []usage.Fact
	for n := range 300 {
		facts = append(facts, fact(key("p", "m", fmt.Sprint("user ", n), "g"), at(2).Start, 0.001, 0.001))
	}
	large := withPrice(unpriced(at(2), facts...), 100, usage.Provisional)
	for range 2 {
		err := commitOne(t.Context(), s, large)
		var full *sqlite.Error
		if !errors.As(err, &full) || full.Code() != sqlite3.SQLITE_FULL || strings.Contains(err.Error(), "\n") {
			t.Fatalf("got %q, want one line of SQLITE_FULL", err)
		}
		if after := dump(t, s); after != before {
			t.Fatalf("something of it was written:\n%s", after)
		}
	}
	if sum := summary(t, s); len(sum.Totals) != 3 {
		t.Errorf("read on, but %d keys", len(sum.Totals))
	}

	execute(t, s.writer, "PRAGMA max_page_count=1073741823")
	commit(t, s, large)
	if sum := summary(t, s); len(sum.Totals) != 303 || sum.States[usage.Provisional] != 2 {
		t.Errorf("%d keys, %v", len(sum.Totals), sum.States)
	}
	holdTotals(t, s)
	holdSums(t, s)
}
