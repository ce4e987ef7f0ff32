// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a budget and where it stands.
type Budget struct {
	Name   string
	Unit   string // of Limit and Used, as a person reads it
	Limit  float64
	Period usage.Period
	// Used is nil if it is not known.
	Used *float64
	// Unknown is how much of the period so far is not in Used.
	Unknown time.Duration
	// Projected is what will have been used at the end of the period, over the limit; nil if it is
	// not known.
	Projected *float64
	// Newest is the end of the newest stored interval, and Interval its length.
	Newest   time.Time
	Interval time.Duration
}

// Stale is the age of the newest interval from which on nobody should rely on it: that of the alert
// CarbonDataStale.
func (b Budget) Stale() time.Duration { return 2*b.Interval + time.Hour }

// skew is how far ahead of our clock the newest interval may end: two machines never agree.
const skew = time.Minute

// Share is what is used of the limit; nil: it is not known.
func (b Budget) Share() *float64 {
	if b.Used == nil {
		return nil
	}
	return new(*b.Used / b.Limit)
}

// judge says why the budget denies work, and what of it is not known.
func (b Budget) judge(r Rules, now time.Time) (denied string, doubts []string) {
	switch {
	case now.Before(b.Period.From) || !now.Before(b.Period.To):
		return "", []string{fmt.Sprintf("budget %s is not in force: it is from %s to %s", b.Name, stamp(b.Period.From), stamp(b.Period.To))}
	case b.Used == nil:
		return "", []string{fmt.Sprintf("what budget %s has used is not known: its target has no usage yet, or none with a carbon intensity", b.Name)}
	case now.Sub(b.Newest) > b.Stale():
		return "", []string{fmt.Sprintf("the data is stale: the newest interval ended at %s, %s ago; is carbon_exporter running?", stamp(b.Newest), long(now.Sub(b.Newest)))}
	case b.Newest.Sub(now) > skew:
		return "", []string{fmt.Sprintf("the newest interval ends at %s, which is in the future: a clock is wrong", stamp(b.Newest))}
	}
	if share := *b.Share(); share >= r.At {
		denied = fmt.Sprintf("budget %s is used up to %s, and work begins below %s: %s of %s %s, until %s",
			b.Name, percent(share), percent(r.At), short(*b.Used), short(b.Limit), b.Unit, stamp(b.Period.To))
		return denied, nil
	}
	if b.Unknown > 0 {
		doubts = append(doubts, fmt.Sprintf("%s of the period is missing from what budget %s has used, so more may be used than %s", long(b.Unknown), b.Name, percent(*b.Share())))
	}
	switch {
	case r.Projected == 0:
	case b.Projected == nil:
		doubts = append(doubts, fmt.Sprintf("what budget %s will have used at the end of its period is not known: that takes 7 days of data", b.Name))
	case *b.Projected >= r.Projected:
		denied = fmt.Sprintf("budget %s is projected to end at %s of its limit on %s, and work begins below %s",
			b.Name, percent(*b.Projected), stamp(b.Period.To), percent(r.Projected))
	}
	return denied, doubts
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// percent never rounds up to a threshold that the share does not reach.
func percent(share float64) string {
	const noise = 1e-6 // 0.57 * 1000 may be less than 570
	return strconv.FormatFloat(math.Floor(share*1000+noise)/10, 'f', -1, 64) + " %"
}

// long writes a duration as flags take it, such as 1d2h.
func long(d time.Duration) string { return model.Duration(d.Round(time.Minute)).String() }

func short(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
