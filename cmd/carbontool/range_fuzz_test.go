// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// FuzzRange: whatever is typed, a range is one in the past that has a length, or
// wrong use that is said in a line.
func FuzzRange(f *testing.F) {
	for _, zone := range []string{"UTC", "Europe/London", "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"} {
		for _, typed := range [][3]string{
			{"2026-10-01", "2026-10-02", ""},
			{"2026-10-25T01:30", "", ""},
			{"2026-03-29T01:30", "", ""},
			{"1790812800", "1790816400", ""},
			{"", "", "2026-10"},
			{"2011-12-30", "2011-12-31", ""},
			{"2018-11-04", "", ""},
			{"1969-12-31", "", ""},
			{"9999-12-31T23:59:59Z", "", ""},
			{"0000-01-01", "", ""},
			{"2026-10-01 10:30", "2026-10-01T10:30:00+14:00", ""},
			{"", "", "0001-01"},
			{"", "", "9999-12"},
			{"999999999", "9999999999", ""},
			{"yesterday", "today", ""},
			{"-7d", "-1h", ""},
			{"2026", "2026-10", ""},
			{"-292y", "now", ""},
		} {
			f.Add(zone, typed[0], typed[1], typed[2], int64(1795000000))
		}
	}
	f.Fuzz(func(t *testing.T, zone, from, to, month string, seconds int64) {
		cfg := config.Default()
		if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
			return // the fuzzer invents names; every seed is a zone of time/tzdata
		}
		cfg.Timezone = zone
		now := time.Unix(seconds&(1<<33-1), 0)
		r := timeRange{From: from, To: to, Month: month, FromGiven: from != "", ToGiven: to != "", MonthGiven: month != "", Months: true}
		for _, ahead := range []bool{false, true} {
			r.Ahead = ahead
			p, err := r.period(&cfg, now)
			if err == nil {
				if !p.From.Before(p.To) || p.To.After(now) || p.From.Before(time.Unix(0, 0)) {
					t.Errorf("%s to %s at %s", p.From, p.To, now)
				}
				continue
			}
			var stderr bytes.Buffer
			if code := end(context.Background(), "report", &stderr, err); code != exitUsage || !errors.As(err, new(wrongUse)) {
				t.Errorf("exit code %d: %v", code, err)
			}
			line := strings.TrimSuffix(stderr.String(), "\n")
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("says %q", line)
			}
		}
	})
}

// FuzzMoment: a time that is written for people is read back to the same moment.
func FuzzMoment(f *testing.F) {
	f.Add("Europe/London", int64(1792893600))
	f.Add("America/St_Johns", int64(0))
	f.Add("Africa/Monrovia", int64(1)) // an offset with seconds
	f.Add("Pacific/Apia", int64(1325203200))
	f.Fuzz(func(t *testing.T, name string, seconds int64) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return // the fuzzer invents names; every seed is a zone of time/tzdata
		}
		at := time.Unix(seconds&(1<<33-1), 0)
		got, err := when.Moment(when.Written(at, zone), zone, at)
		if err != nil || !got.Equal(at) {
			t.Errorf("%s is read as %s, %v; want %s", when.Written(at, zone), got, err, at.UTC())
		}
		if day := budget.DayStart(at.In(zone), zone); day.After(at) || at.Sub(day) > 26*time.Hour {
			t.Errorf("the day of %s begins at %s", at.In(zone), day.In(zone))
		}
	})
}
