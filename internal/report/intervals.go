package report

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Intervals counts the complete intervals that start in a period.
type Intervals struct {
	All         int `json:"all"`
	Settled     int `json:"settled"`
	Provisional int `json:"provisional"`
	Unpriced    int `json:"unpriced"`
	Empty       int `json:"empty"`
	Missing     int `json:"missing"` // including those the store does not know
}

// CountIntervals counts the intervals of a length by their known states.
func CountIntervals(known map[time.Time]usage.State, p usage.Period, length time.Duration, now time.Time) Intervals {
	var n Intervals
	if length <= 0 {
		return n
	}
	first := usage.IntervalAt(p.From, length)
	if first.Start.Before(p.From) {
		first = first.Next()
	}
	for i := first; i.Start.Before(p.To) && !i.End().After(now); i = i.Next() {
		n.All++
		switch known[i.Start] {
		case usage.Settled:
			n.Settled++
		case usage.Provisional:
			n.Provisional++
		case usage.Unpriced:
			n.Unpriced++
		case usage.Empty:
			n.Empty++
		default:
			n.Missing++
		}
	}
	return n
}

// answered counts the intervals that Prometheus has answered for, even without any
// series.
func (n Intervals) answered() int { return n.All - n.Missing }
