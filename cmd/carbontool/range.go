package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// timeRange is the time range [from, to) of a command, as it was typed. A command has
// it as a field, calls register (and registerMonth, if a whole month makes sense)
// where it declares its flags, and asks for the period when it runs, before it opens
// the store or sends a query:
//
//	r.span.register(c)
//	...
//	p, err := r.span.period(cfg, time.Now())
//	if err != nil {
//		return err // a usage error: exit code 2
//	}
type timeRange struct {
	from, to, month                string
	fromGiven, toGiven, monthGiven bool
	months                         bool
	ahead                          bool // an end in the future means now
	all                            bool // without --from, the range starts at the first stored interval
}

const startHelp = "Start of the range: 2026-10-01 or 2026-10-01T10:30 (in the configured time zone), RFC 3339, or Unix seconds."

// register declares --from and --to.
func (r *timeRange) register(c *kingpin.CmdClause) {
	c.Flag("from", startHelp).
		PlaceHolder("TIME").IsSetByUser(&r.fromGiven).StringVar(&r.from)
	c.Flag("to", "End of the range (exclusive), in the same formats. Default: now.").
		PlaceHolder("TIME").IsSetByUser(&r.toGiven).StringVar(&r.to)
}

// registerMonth declares --month beside them.
func (r *timeRange) registerMonth(c *kingpin.CmdClause) {
	r.months = true
	c.Flag("month", "A calendar month such as 2026-10, instead of --from and --to.").
		PlaceHolder("MONTH").IsSetByUser(&r.monthGiven).StringVar(&r.month)
}

// registerAhead declares --from and --to for a command that takes what is there: an
// end in the future, such as the end of today, means now.
func (r *timeRange) registerAhead(c *kingpin.CmdClause) {
	r.ahead = true
	r.register(c)
}

// registerAll declares --from and --to for a command that covers the whole store by
// default.
func (r *timeRange) registerAll(c *kingpin.CmdClause) {
	r.all = true
	c.Flag("from", startHelp+" Default: the first stored interval.").
		PlaceHolder("TIME").IsSetByUser(&r.fromGiven).StringVar(&r.from)
	c.Flag("to", "End of the range (exclusive), in the same formats. Default: now.").
		PlaceHolder("TIME").IsSetByUser(&r.toGiven).StringVar(&r.to)
}

// period is the range that was meant. It starts before now and ends now or earlier;
// the current month ends now. Every error is a usage error.
func (r *timeRange) period(c *config.Config, now time.Time) (usage.Period, error) {
	zone := c.Location()
	switch {
	case r.monthGiven && (r.fromGiven || r.toGiven):
		return usage.Period{}, wrongUsef("--month cannot be combined with --from or --to")
	case r.monthGiven:
		return monthOf(r.month, zone, now)
	case !r.fromGiven && r.all:
	case !r.fromGiven && r.months:
		return usage.Period{}, wrongUsef("no range: give --from or --month")
	case !r.fromGiven:
		return usage.Period{}, wrongUsef("no range: give --from")
	}
	from := time.Unix(0, 0).UTC()
	if r.fromGiven {
		var err error
		if from, err = pastMoment("--from", r.from, zone, now); err != nil {
			return usage.Period{}, err
		}
	}
	to, err := r.end(zone, now)
	if err != nil {
		return usage.Period{}, err
	}
	if !from.Before(to) {
		return usage.Period{}, wrongUsef("--to: %s is not after --from", written(to, zone))
	}
	return usage.Period{From: from, To: to}, nil
}

// eastmost is the largest offset of any time zone from UTC.
const eastmost = 14 * time.Hour

// check refuses, before the store is opened, what is not a range in any time zone.
// The zone is the one of the store unless a configuration file was given.
func (s *site) check(r *timeRange, c *config.Config, now time.Time) error {
	_, err := r.period(c, now)
	if s.configGiven || err == nil {
		return err
	}
	utc := *c
	utc.Timezone = "UTC"
	if _, elsewhere := r.period(&utc, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}

// checkMoment does the same for a single time.
func (s *site) checkMoment(flag, value string, c *config.Config, now time.Time) error {
	_, err := pastMoment(flag, value, c.Location(), now)
	if s.configGiven || err == nil {
		return err
	}
	if _, elsewhere := pastMoment(flag, value, time.UTC, now.Add(eastmost)); elsewhere == nil {
		return nil
	}
	return err
}

// end is the value of --to; without it, now.
func (r *timeRange) end(zone *time.Location, now time.Time) (time.Time, error) {
	if !r.toGiven {
		return now.UTC(), nil
	}
	if to, err := moment(r.to, zone); err == nil && r.ahead && to.After(now) {
		return now.UTC(), nil
	}
	return pastMoment("--to", r.to, zone, now)
}

// pastMoment reads the value of a flag that must not be in the future.
func pastMoment(flag, value string, zone *time.Location, now time.Time) (time.Time, error) {
	at, err := moment(value, zone)
	switch {
	case err != nil:
		return time.Time{}, wrongUsef("%s: %w", flag, err)
	case at.After(now):
		return time.Time{}, wrongUsef("%s: %s is in the future", flag, value)
	}
	return at, nil
}

func monthOf(value string, zone *time.Location, now time.Time) (usage.Period, error) {
	first, err := time.Parse("2006-01", value)
	if err != nil {
		return usage.Period{}, wrongUsef("--month: %q is not a month such as 2026-10", value)
	}
	p := usage.Period{From: budget.DayStart(first, zone).UTC(), To: budget.DayStart(first.AddDate(0, 1, 0), zone).UTC()}
	switch {
	case p.From.Before(time.Unix(0, 0)):
		return usage.Period{}, wrongUsef("--month: %s is before 1970", value)
	case !p.From.Before(now):
		return usage.Period{}, wrongUsef("--month: %s is in the future", value)
	case p.To.After(now):
		p.To = now.UTC()
	}
	return p, nil
}

// unixSeconds is a time as the Prometheus API and promtool take it. With fewer digits
// it would be a year, or a typing error.
var unixSeconds = regexp.MustCompile(`^[0-9]{9,10}$`)

// moment reads a time, in the given zone unless it names one itself. A local time
// that does not exist, or exists twice, because the clocks change is refused.
func moment(value string, zone *time.Location) (time.Time, error) {
	if unixSeconds.MatchString(value) {
		seconds, err := strconv.ParseInt(value, 10, 64)
		return time.Unix(seconds, 0).UTC(), err
	}
	typed := value
	value = strings.Replace(value, " ", "T", 1) // as people write it
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, value); err == nil {
			return sinceUnix(value, at.UTC())
		}
	}
	if day, err := time.Parse(time.DateOnly, value); err == nil {
		return sinceUnix(value, budget.DayStart(day, zone).UTC())
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		wall, err := time.Parse(layout, value)
		if err != nil {
			continue
		}
		switch found := moments(wall, zone); len(found) {
		case 0:
			return time.Time{}, fmt.Errorf("%s does not exist in %s: the clocks go forward then", value, zone)
		case 1:
			return sinceUnix(value, found[0])
		default:
			return time.Time{}, fmt.Errorf("%s exists twice in %s: use %s or %s", value, zone, written(found[0], zone), written(found[1], zone))
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-10-01, 2026-10-01T10:30 or 2026-10-01T10:30:00Z", typed)
}

// sinceUnix refuses times before 1970.
func sinceUnix(value string, at time.Time) (time.Time, error) {
	if at.Before(time.Unix(0, 0)) {
		return time.Time{}, fmt.Errorf("%s is before 1970", value)
	}
	return at, nil
}

// moments lists when the clocks of a zone show a time, which is given as if it were
// UTC: never if they skip it, twice if they are put back.
func moments(wall time.Time, zone *time.Location) []time.Time {
	var found []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(near).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		_, shown := at.In(zone).Zone()
		if shown == offset && (len(found) == 0 || found[0].Before(at)) {
			found = append(found, at)
		}
	}
	return found
}

// written is a time in a format that reads back as the same time. RFC 3339 has no
// seconds in its offsets; old local times that need them are written in UTC.
func written(at time.Time, zone *time.Location) string {
	if _, offset := at.In(zone).Zone(); offset%60 != 0 {
		zone = time.UTC
	}
	return at.In(zone).Format(time.RFC3339)
}
