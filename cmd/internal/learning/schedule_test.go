// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package learning

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestWhenTheDaemonLearns(t *testing.T) {
	zone := london(t)
	const layout = "2006-01-02 15:04"
	for _, c := range []struct{ name, every, now, want string }{
		{"never", config.CalibrateOff, "2026-11-27 12:00", ""},
		{"a day, in the afternoon", config.CalibrateDaily, "2026-11-27 12:00", "2026-11-27 04:00"},
		{"a day, at the very moment", config.CalibrateDaily, "2026-11-27 04:00", "2026-11-27 04:00"},
		{"a day, in the night before", config.CalibrateDaily, "2026-11-27 03:59", "2026-11-26 04:00"},
		{"a day, in the first night of a year", config.CalibrateDaily, "2027-01-01 01:00", "2026-12-31 04:00"},
		{"a day, when clocks have gone forward", config.CalibrateDaily, "2026-03-29 05:00", "2026-03-29 04:00"},
		{"a week, on Friday", config.CalibrateWeekly, "2026-11-27 12:00", "2026-11-23 04:00"},
		{"a week, on Monday before", config.CalibrateWeekly, "2026-11-23 03:00", "2026-11-16 04:00"},
		{"a week, on Monday after", config.CalibrateWeekly, "2026-11-23 05:00", "2026-11-23 04:00"},
		{"a week, on Sunday", config.CalibrateWeekly, "2026-11-29 23:00", "2026-11-23 04:00"},
		{"a month, within", config.CalibrateMonthly, "2026-11-27 12:00", "2026-11-01 04:00"},
		{"a month, on the first before", config.CalibrateMonthly, "2026-11-01 03:00", "2026-10-01 04:00"},
		{"a month, on the first after", config.CalibrateMonthly, "2026-11-01 04:00", "2026-11-01 04:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.ParseInLocation(layout, c.now, zone)
			if err != nil {
				t.Fatal(err)
			}
			got := Due(c.every, now, zone)
			if c.want == "" {
				if !got.IsZero() {
					t.Errorf("got %v", got)
				}
				return
			}
			if got.In(zone).Format(layout) != c.want {
				t.Errorf("got %v, want %s", got.In(zone), c.want)
			}
		})
	}
}

// TestDueIsNeverAhead: at any time the moment is past, of the day that it should be, and less than
// a period ago.
func TestDueIsNeverAhead(t *testing.T) {
	zone := london(t)
	longest := map[string]time.Duration{config.CalibrateDaily: 25 * time.Hour, config.CalibrateWeekly: 7*24*time.Hour + time.Hour, config.CalibrateMonthly: 31*24*time.Hour + time.Hour}
	for every, most := range longest {
		for now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); now.Year() < 2028; now = now.Add(37 * time.Minute) {
			got := Due(every, now, zone)
			if got.After(now) || now.Sub(got) > most || got.In(zone).Hour() != hourOfDay ||
				every == config.CalibrateWeekly && got.In(zone).Weekday() != time.Monday || every == config.CalibrateMonthly && got.In(zone).Day() != 1 {
				t.Fatalf("%s at %v: %v", every, now, got)
			}
		}
	}
}

func TestWhatTheDaemonLearnsFrom(t *testing.T) {
	zone := london(t)
	now := time.Date(2026, 3, 30, 4, 0, 0, 0, zone) // clocks went forward the day before
	for every, from := range map[string]time.Time{
		config.CalibrateDaily:   time.Date(2026, 3, 23, 0, 0, 0, 0, zone),
		config.CalibrateWeekly:  time.Date(2026, 3, 2, 0, 0, 0, 0, zone),
		config.CalibrateMonthly: time.Date(2026, 3, 2, 0, 0, 0, 0, zone),
	} {
		if p := Span(every, now, zone); !p.From.Equal(from) || !p.To.Equal(time.Date(2026, 3, 30, 0, 0, 0, 0, zone)) {
			t.Errorf("%s: %v", every, p)
		}
	}
}
