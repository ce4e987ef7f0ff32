// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rangeOf reads the flags of a range as a command would.
func rangeOf(t *testing.T, timezone, now string, args ...string) (usage.Period, error) {
	t.Helper()
	app := kingpin.New("carbontool", "")
	c := app.Command("report", "")
	var r timeRange
	r.register(c)
	r.registerMonth(c)
	if _, err := app.Parse(append([]string{"report"}, args...)); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Timezone = timezone
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	return r.period(&cfg, at)
}

func TestRange(t *testing.T) {
	const london, noon = "Europe/London", "2026-11-15T12:00:00Z"
	for _, c := range []struct {
		name, zone, now string
		args            string
		from, to        string // RFC 3339
	}{
		{"RFC 3339", london, noon, "--from=2026-10-01T00:00:00Z --to=2026-10-02T00:00:00Z", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"},
		{"RFC 3339 with an offset", london, noon, "--from=2026-10-01T02:00:00+02:00 --to=2026-10-01T02:00:00-01:30", "2026-10-01T00:00:00Z", "2026-10-01T03:30:00Z"},
		{"an offset without seconds", london, noon, "--from=2026-10-01T02:00Z --to=2026-10-01T05:00+01:00", "2026-10-01T02:00:00Z", "2026-10-01T04:00:00Z"},
		{"days in summer time", london, noon, "--from=2026-10-01 --to=2026-10-02", "2026-09-30T23:00:00Z", "2026-10-01T23:00:00Z"},
		{"a day of 25 hours", london, noon, "--from=2026-10-25 --to=2026-10-26", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"a day of 23 hours", london, noon, "--from=2026-03-29 --to=2026-03-30", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z"},
		{"times of the zone", london, noon, "--from=2026-10-01T10:30 --to=2026-10-01T11:00:05", "2026-10-01T09:30:00Z", "2026-10-01T10:00:05Z"},
		{"the same in another zone", "Asia/Kolkata", noon, "--from=2026-10-01T10:30 --to=2026-10-01T11:00", "2026-10-01T05:00:00Z", "2026-10-01T05:30:00Z"},
		{"Unix seconds, as promtool takes them", london, noon, "--from=1790812800 --to=1790816400", "2026-10-01T00:00:00Z", "2026-10-01T01:00:00Z"},
		{"until now", london, noon, "--from=2026-11-15", "2026-11-15T00:00:00Z", noon},
		{"up to this moment", london, noon, "--from=2026-11-15 --to=2026-11-15T12:00", "2026-11-15T00:00:00Z", noon},
		{"a month", london, noon, "--month=2026-10", "2026-09-30T23:00:00Z", "2026-11-01T00:00:00Z"},
		{"a month that is not over", london, noon, "--month=2026-11", "2026-11-01T00:00:00Z", noon},
		{"a month over the end of a year", london, noon, "--month=2025-12", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"the last hour", london, noon, "--from=-1h", "2026-11-15T11:00:00Z", noon},
		{"a week that ended an hour ago", london, noon, "--from=-7d --to=-1h", "2026-11-08T12:00:00Z", "2026-11-15T11:00:00Z"},
		{"a day and a half", london, noon, "--from=-1d12h --to=now", "2026-11-14T00:00:00Z", noon},
		{"yesterday", london, noon, "--from=yesterday --to=today", "2026-11-14T00:00:00Z", "2026-11-15T00:00:00Z"},
		{"yesterday elsewhere, where it is today", "Asia/Kolkata", "2026-11-14T20:00:00Z", "--from=yesterday --to=today", "2026-11-13T18:30:00Z", "2026-11-14T18:30:00Z"},
		{"yesterday, which had 25 hours", london, "2026-10-26T12:00:00Z", "--from=yesterday --to=today", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"today", london, noon, "--from=today", "2026-11-15T00:00:00Z", noon},
		{"from the begin of a month to that of another", london, noon, "--from=2026-08 --to=2026-10", "2026-07-31T23:00:00Z", "2026-09-30T23:00:00Z"},
		{"since the begin of a year", london, noon, "--from=2026", "2026-01-01T00:00:00Z", noon},
		{"a year", "Asia/Kolkata", noon, "--from=2025 --to=2026", "2024-12-31T18:30:00Z", "2025-12-31T18:30:00Z"},
		{"a leap day", london, noon, "--from=2024-02-29 --to=2024-03-01", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"a day without midnight begins at one", "America/Sao_Paulo", noon, "--from=2018-11-04 --to=2018-11-05", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"a day with two midnights begins with the first", "America/Havana", noon, "--from=2025-11-02 --to=2025-11-03", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"},
		{"a day at which the clocks go back to the one before", "America/Sao_Paulo", noon, "--from=2018-02-17 --to=2018-02-18", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"},
		{"the day after one that was left out", "Pacific/Apia", noon, "--from=2011-12-29 --to=2011-12-31", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := rangeOf(t, c.zone, c.now, strings.Fields(c.args)...)
			if err != nil {
				t.Fatal(err)
			}
			if from, to := got.From.Format(time.RFC3339), got.To.Format(time.RFC3339); from != c.from || to != c.to {
				t.Errorf("got %s to %s, want %s to %s", from, to, c.from, c.to)
			}
		})
	}
}

func TestWithoutARangeAReportIsOfThisMonth(t *testing.T) {
	cfg := config.Default()
	for _, c := range []struct{ zone, now, from string }{
		{"Europe/London", "2026-11-15T12:00:00Z", "2026-11-01T00:00:00Z"},
		{"Europe/London", "2026-09-30T23:30:00Z", "2026-09-30T23:00:00Z"},
		{"America/New_York", "2026-11-01T03:59:59Z", "2026-10-01T04:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Timezone = c.zone
		got, err := (&timeRange{Present: true, Months: true}).period(&cfg, now)
		if err != nil || got.From.Format(time.RFC3339) != c.from || !got.To.Equal(now) {
			t.Errorf("%s in %s: got %s to %s, %v", c.now, c.zone, got.From, got.To, err)
		}
	}
	_, err := (&timeRange{Present: true, Months: true, ToGiven: true, To: "2026-10-01"}).period(&cfg, time.Now())
	if err == nil || err.Error() != "no range: give --from or --month" {
		t.Errorf("only its end: %v", err)
	}
}

func TestASpaceForTheT(t *testing.T) {
	got, err := rangeOf(t, "Europe/London", "2026-11-15T12:00:00Z", "--from", "2026-10-01 10:30", "--to", "2026-10-01 11:00:05Z")
	if from, to := got.From.Format(time.RFC3339), got.To.Format(time.RFC3339); err != nil || from != "2026-10-01T09:30:00Z" || to != "2026-10-01T11:00:05Z" {
		t.Errorf("got %s to %s, %v", from, to, err)
	}
}

func TestRangesThatAreWrongUse(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"none", "", "no range: give --from or --month"},
		{"only its end", "--to=2026-10-01", "no range: give --from or --month"},
		{"a month and a begin", "--month=2026-10 --from=2026-10-01", "--month cannot be combined with --from or --to"},
		{"a month and an end", "--month=2026-10 --to=2026-10-01", "--month cannot be combined with --from or --to"},
		{"an empty begin", "--from=", `--from: "" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a word", "--from=lately", `--from: "lately" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a day that no month has", "--from=2026-02-30", `--from: "2026-02-30" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a number of seconds in the future", "--from=4070908800", "--from: 4070908800 is in the future"},
		{"half a year", "--from=202", `--from: "202" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a duration without a sign", "--from=1h", `--from: "1h" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a duration of nothing known", "--from=-1q", `--from: "-1q" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a month that no year has, as a time", "--from=2026-13", `--from: "2026-13" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a year of the future", "--from=2027", "--from: 2027 is in the future"},
		{"longer ago than there was a Unix", "--from=-100y", "--from: -100y is before 1970"},
		{"from now", "--from=now", "--from: now is not before now, and without --to the range ends now"},
		{"an end that is none", "--from=2026-10-01 --to=2026-10-01T25:00", `--to: "2026-10-01T25:00" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a month that no year has", "--month=2026-13", `--month: "2026-13" is not a month such as 2026-10`},
		{"a day for a month", "--month=2026-10-01", `--month: "2026-10-01" is not a month such as 2026-10`},
		{"reversed", "--from=2026-10-02 --to=2026-10-01", "--to: 2026-10-01T00:00:00+01:00 is not after --from"},
		{"of no length", "--from=2026-10-01 --to=2026-10-01", "--to: 2026-10-01T00:00:00+01:00 is not after --from"},
		{"the future", "--from=2099-01-01 --to=2099-02-01", "--from: 2099-01-01 is in the future"},
		{"a part of it in the future", "--from=2026-10-01 --to=2026-11-16", "--to: 2026-11-16 is in the future"},
		{"a month of the future", "--month=2026-12", "--month: 2026-12 is in the future"},
		{"now, to now", "--from=2026-11-15T12:00:00Z", "--from: 2026-11-15T12:00:00Z is not before now, and without --to the range ends now"},
		{"before there was a Unix", "--from=0001-01-01", "--from: 0001-01-01 is before 1970"},
		{"a month before there was a Unix", "--month=1969-12", "--month: 1969-12 is before 1970"},
		{"a time that the clocks leave out", "--from=2026-03-29T01:30", "--from: 2026-03-29T01:30 does not exist in Europe/London: the clocks go forward then"},
		{"a time that is twice", "--from=2026-10-25T01:30", "--from: 2026-10-25T01:30 exists twice in Europe/London: use 2026-10-25T01:30:00+01:00 or 2026-10-25T01:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := rangeOf(t, "Europe/London", "2026-11-15T12:00:00Z", strings.Fields(c.args)...)
			var wrong wrongUse
			if !errors.As(err, &wrong) || err.Error() != c.want {
				t.Errorf("got %v, %v, want wrong use: %s", got, err, c.want)
			}
		})
	}
}

func TestARangeThatEndsInTheFutureEndsNow(t *testing.T) {
	now := time.Date(2026, 11, 15, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ name, args, to, refused string }{
		{"of today", "--from=2026-11-15 --to=2026-11-16", "2026-11-15T12:00:00Z", ""},
		{"of years", "--from=2026-11-15 --to=2099-01-01", "2026-11-15T12:00:00Z", ""},
		{"of the past", "--from=2026-11-01 --to=2026-11-02", "2026-11-02T00:00:00Z", ""},
		{"that only begins there", "--from=2026-11-16 --to=2026-11-17", "", "--from: 2026-11-16 is in the future"},
		{"that is no date", "--from=2026-11-15 --to=later", "", `--to: "later" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := kingpin.New("carbontool", "")
			var r timeRange
			r.registerAhead(app.Command("backfill", ""))
			if _, err := app.Parse(append([]string{"backfill"}, strings.Fields(c.args)...)); err != nil {
				t.Fatal(err)
			}
			cfg := config.Default()
			got, err := r.period(&cfg, now)
			var wrong wrongUse
			switch {
			case c.refused != "":
				if !errors.As(err, &wrong) || err.Error() != c.refused {
					t.Errorf("got %v, want wrong use: %s", err, c.refused)
				}
			case err != nil || got.To.Format(time.RFC3339) != c.to:
				t.Errorf("ends at %v, %v; want %s", got.To, err, c.to)
			}
		})
	}
}
