// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine of a test may have no zone files

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The lengths and borders are counted by hand, in UTC.
func TestPeriods(t *testing.T) {
	for _, c := range []struct {
		name, zone, at string
		kind           Kind
		from, to       string
		halfHours      float64
	}{
		{"an ordinary day in winter", "Europe/London", "2026-01-15T12:00:00Z", Day, "2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z", 48},
		{"in summer it begins an hour before that of UTC", "Europe/London", "2026-07-15T23:30:00Z", Day, "2026-07-15T23:00:00Z", "2026-07-16T23:00:00Z", 48},
		{"the day that loses an hour", "Europe/London", "2026-03-29T12:00:00Z", Day, "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", 46},
		{"the day that has an hour twice", "Europe/London", "2026-10-25T00:30:00Z", Day, "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z", 50},
		{"its last moment", "Europe/London", "2026-10-25T23:59:59Z", Day, "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z", 50},
		{"March has 743 hours", "Europe/London", "2026-03-31T22:30:00Z", Month, "2026-03-01T00:00:00Z", "2026-03-31T23:00:00Z", 2 * 743},
		{"April begins in what UTC calls March", "Europe/London", "2026-03-31T23:00:00Z", Month, "2026-03-31T23:00:00Z", "2026-04-30T23:00:00Z", 2 * 720},
		{"October has 745 hours", "Europe/London", "2026-10-01T00:00:00Z", Month, "2026-09-30T23:00:00Z", "2026-11-01T00:00:00Z", 2 * 745},
		{"February of a leap year", "Europe/London", "2028-02-29T23:30:00Z", Month, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", 2 * 29 * 24},
		{"of 2100, which is none", "UTC", "2100-02-28T23:30:00Z", Month, "2100-02-01T00:00:00Z", "2100-03-01T00:00:00Z", 2 * 28 * 24},
		{"the week of the lost hour, from Monday", "Europe/London", "2026-03-29T22:59:59Z", Week, "2026-03-23T00:00:00Z", "2026-03-29T23:00:00Z", 2 * 167},
		{"Monday is the first of the week after", "Europe/London", "2026-03-29T23:00:00Z", Week, "2026-03-29T23:00:00Z", "2026-04-05T23:00:00Z", 2 * 168},
		{"the week that two years share", "Europe/London", "2027-01-01T12:00:00Z", Week, "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z", 2 * 168},
		{"the first quarter ends in summer time", "Europe/London", "2026-02-14T00:00:00Z", Quarter, "2026-01-01T00:00:00Z", "2026-03-31T23:00:00Z", 2 * (90*24 - 1)},
		{"the second", "Europe/London", "2026-06-30T22:59:59Z", Quarter, "2026-03-31T23:00:00Z", "2026-06-30T23:00:00Z", 2 * 91 * 24},
		{"the last ends in winter time", "Europe/London", "2026-12-31T23:30:00Z", Quarter, "2026-09-30T23:00:00Z", "2027-01-01T00:00:00Z", 2 * (92*24 + 1)},
		{"a year has both changes", "Europe/London", "2026-08-01T00:00:00Z", Year, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", 2 * 365 * 24},
		{"a leap year", "Europe/London", "2028-12-31T23:59:59Z", Year, "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z", 2 * 366 * 24},
		{"the last day of a leap year beyond the tables of zones", "Europe/London", "2048-12-31T12:00:00Z", Day, "2048-12-31T00:00:00Z", "2049-01-01T00:00:00Z", 48},
		{"and where summer is at its end", "Australia/Sydney", "2048-12-31T12:00:00Z", Day, "2048-12-30T13:00:00Z", "2048-12-31T13:00:00Z", 48},

		{"45 minutes off the half hours", "Asia/Kathmandu", "2026-05-01T00:00:00Z", Day, "2026-04-30T18:15:00Z", "2026-05-01T18:15:00Z", 48},
		{"and its month", "Asia/Kathmandu", "2026-04-30T18:14:59Z", Month, "2026-03-31T18:15:00Z", "2026-04-30T18:15:00Z", 2 * 720},
		{"half an hour off", "Asia/Kolkata", "2026-05-01T00:00:00Z", Month, "2026-04-30T18:30:00Z", "2026-05-31T18:30:00Z", 2 * 744},
		{"clocks that change by half an hour", "Australia/Lord_Howe", "2026-04-05T00:00:00Z", Day, "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", 49},
		{"and back", "Australia/Lord_Howe", "2026-10-04T00:00:00Z", Day, "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 47},
		{"clocks that change by two hours", "Antarctica/Troll", "2026-03-29T12:00:00Z", Day, "2026-03-29T00:00:00Z", "2026-03-29T22:00:00Z", 44},

		{"no midnight: the day begins at one", "America/Sao_Paulo", "2018-11-04T12:00:00Z", Day, "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", 46},
		{"the day before it is whole", "America/Sao_Paulo", "2018-11-04T02:59:59Z", Day, "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", 48},
		{"the hour before midnight twice", "America/Sao_Paulo", "2018-02-18T02:30:00Z", Day, "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z", 50},
		{"no midnight on a Sunday in Beirut", "Asia/Beirut", "2022-03-27T00:00:00Z", Day, "2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z", 46},
		{"the hour after midnight twice: the first counts", "America/Havana", "2026-11-01T05:30:00Z", Day, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 50},
		{"a minute after midnight it is yesterday again, but today has begun", "America/Goose_Bay", "2010-11-07T03:30:00Z", Day, "2010-11-07T03:00:00Z", "2010-11-08T04:00:00Z", 50},
		{"and yesterday is over", "America/Goose_Bay", "2010-11-07T02:59:59Z", Day, "2010-11-06T03:00:00Z", "2010-11-07T03:00:00Z", 48},

		{"the day before the one that Samoa skipped", "Pacific/Apia", "2011-12-30T09:59:59Z", Day, "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", 48},
		{"is followed by the one after it", "Pacific/Apia", "2011-12-30T10:00:00Z", Day, "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", 48},
		{"a month of thirty days for once", "Pacific/Apia", "2011-12-30T10:00:00Z", Month, "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z", 2 * 30 * 24},
		{"a week of six", "Pacific/Apia", "2011-12-30T10:00:00Z", Week, "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z", 2 * 6 * 24},
		{"Alaska's Saturday went back to Friday, and is one day of two", "America/Juneau", "1867-10-19T04:00:00Z", Day, "1867-10-18T08:57:41Z", "1867-10-20T08:57:41Z", 96},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := zone(t, c.zone)
			p := c.kind.Period(moment(t, c.at), z)
			from, to := moment(t, c.from), moment(t, c.to)
			if !p.From.Equal(from) || !p.To.Equal(to) {
				t.Errorf("got %s to %s, want %s to %s", p.From.UTC(), p.To.UTC(), from, to)
			}
			if got := p.To.Sub(p.From).Hours() * 2; got != c.halfHours {
				t.Errorf("%v half hours, want %v", got, c.halfHours)
			}
			if p.From.Location() != z || p.To.Location() != z {
				t.Errorf("printed in %s and %s, want %s", p.From.Location(), p.To.Location(), z)
			}
		})
	}
}

func TestNextAndPrevious(t *testing.T) {
	london, apia := zone(t, "Europe/London"), zone(t, "Pacific/Apia")
	for _, c := range []struct {
		name, at string
		kind     Kind
		zone     *time.Location
		previous string // From
		next     string // To
	}{
		{"a month between longer ones", "2026-02-28T12:00:00Z", Month, london, "2026-01-01T00:00:00Z", "2026-03-31T23:00:00Z"},
		{"the last day of a month", "2026-01-31T12:00:00Z", Day, london, "2026-01-30T00:00:00Z", "2026-02-02T00:00:00Z"},
		{"a year", "2026-06-01T00:00:00Z", Year, london, "2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z"},
		{"over a day that was skipped", "2011-12-31T00:00:00Z", Day, apia, "2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.kind.Period(moment(t, c.at), c.zone)
			if got := c.kind.Period(p.From.Add(-1), c.zone); !got.From.Equal(moment(t, c.previous)) || !got.To.Equal(p.From) {
				t.Errorf("before %v to %v is %v to %v", p.From, p.To, got.From, got.To)
			}
			if got := c.kind.Period(p.To, c.zone); !got.To.Equal(moment(t, c.next)) || !got.From.Equal(p.To) {
				t.Errorf("after %v to %v is %v to %v", p.From, p.To, got.From, got.To)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	london, apia := zone(t, "Europe/London"), zone(t, "Pacific/Apia")
	for _, c := range []struct {
		name, from, to string
		by             Kind
		zone           *time.Location
		borders        []string // one more than parts
	}{
		{"nothing has no parts", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", Day, london, nil},
		{"less than nothing has none", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", Day, london, nil},
		{"a whole day is one part", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", Day, london, []string{
			"2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z",
		}},
		{"an hour of one", "2026-03-29T05:00:00Z", "2026-03-29T06:00:00Z", Month, london, []string{
			"2026-03-29T05:00:00Z", "2026-03-29T06:00:00Z",
		}},
		{"from noon to noon over the lost hour", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", Day, london, []string{
			"2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", "2026-03-30T12:00:00Z",
		}},
		{"a month by weeks: the first and the last are cut", "2026-10-01T00:00:00+01:00", "2026-11-01T00:00:00Z", Week, london, []string{
			"2026-09-30T23:00:00Z", "2026-10-04T23:00:00Z", "2026-10-11T23:00:00Z", "2026-10-18T23:00:00Z", "2026-10-26T00:00:00Z", "2026-11-01T00:00:00Z",
		}},
		{"a year of UTC by quarters of London", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", Quarter, london, []string{
			"2026-01-01T00:00:00Z", "2026-03-31T23:00:00Z", "2026-06-30T23:00:00Z", "2026-09-30T23:00:00Z", "2027-01-01T00:00:00Z",
		}},
		{"the skipped day is no part", "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", Day, apia, []string{
			"2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := Split(usage.Period{From: moment(t, c.from), To: moment(t, c.to)}, c.by, c.zone)
			if len(parts) != max(0, len(c.borders)-1) {
				t.Fatalf("%d parts, want %d: %v", len(parts), len(c.borders)-1, parts)
			}
			for i, p := range parts {
				if !p.From.Equal(moment(t, c.borders[i])) || !p.To.Equal(moment(t, c.borders[i+1])) {
					t.Errorf("part %d is %s to %s, want %s to %s", i, p.From.UTC(), p.To.UTC(), c.borders[i], c.borders[i+1])
				}
			}
		})
	}
}

func TestDayStart(t *testing.T) {
	for _, c := range []struct {
		name, zone       string
		year, month, day int
		want             string
	}{
		{"summer time", "Europe/London", 2026, 7, 1, "2026-06-30T23:00:00Z"},
		{"the day of the lost hour", "Europe/London", 2026, 3, 29, "2026-03-29T00:00:00Z"},
		{"a midnight that was skipped", "America/Sao_Paulo", 2018, 11, 4, "2018-11-04T03:00:00Z"},
		{"a midnight that is there twice", "America/Havana", 2026, 11, 1, "2026-11-01T04:00:00Z"},
		{"a date that was skipped", "Pacific/Apia", 2011, 12, 30, "2011-12-30T10:00:00Z"},
		{"the date after it", "Pacific/Apia", 2011, 12, 31, "2011-12-30T10:00:00Z"},
		{"the thirteenth month is January", "UTC", 2026, 13, 1, "2027-01-01T00:00:00Z"},
		{"the thirtieth of February is in March", "UTC", 2026, 2, 30, "2026-03-02T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := DayStart(date(c.year, time.Month(c.month), c.day), zone(t, c.zone)); !got.Equal(moment(t, c.want)) {
				t.Errorf("got %s, want %s", got.UTC(), c.want)
			}
		})
	}
}
