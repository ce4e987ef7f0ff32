// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// BenchmarkYearToDate adds a year of days of 1 000 keys up, as every snapshot for
// /metrics does at the end of a year.
func BenchmarkYearToDate(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: usage.SlotLength})
	for d := range 365 {
		commit(b, s, benchRecord(48*d))
	}
	year := usage.Period{From: epoch, To: epoch.Add(365 * day)}
	b.ReportAllocs()
	for b.Loop() {
		all, err := s.Accounts(b.Context(), year)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(all[0].keys); n != benchKeys {
			b.Fatalf("%d keys", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed()/time.Millisecond)/float64(b.N), "ms")
}
