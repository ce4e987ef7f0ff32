package source

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Series that name no host may be those of many machines: neither their cores
// nor copies among them can be counted, and nothing of them is taken away.
func TestSeriesWithoutAHostAreNotCountedAsCopies(t *testing.T) {
	piece := usage.IntervalAt(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), usage.SlotLength)
	at := float64(piece.End().Unix())
	for _, test := range []struct {
		host string
		want float64 // busy seconds that are left
	}{
		{"", 7200},
		{"172.16.100.5", 0}, // 7200 s of one core in half an hour: refused
	} {
		table := newTable([]usage.Interval{piece})
		fill := func(s sink, v float64, labels ...string) {
			t.Helper()
			if err := s.Series(append([]string{"IDAaaS", "Muon", test.host, ""}, labels...)); err != nil {
				t.Fatal(err)
			}
			s.Point(at, v)
		}
		fill(table.into(busy), 7200)
		fill(table.into(idle), 0)
		capacity := table.intoCapacity()
		fill(capacity, 1, partCores)
		fill(capacity, 4, partCopies)
		if got := table.doubled(); got != (test.host != "") {
			t.Errorf("host %q: doubled is %v", test.host, got)
		}
		var sum float64
		for _, s := range table.readings()[0].Samples {
			sum += float64(s.CPU.Busy)
		}
		if sum != test.want {
			t.Errorf("host %q: %v busy seconds, want %v", test.host, sum, test.want)
		}
	}
}
