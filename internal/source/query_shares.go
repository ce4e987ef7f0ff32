// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"time"
)

// bornWithin is how long before a window a counter may have been scraped last that is not new in it.
const bornWithin = 2 * time.Hour

// lately is how long before a window a counter may have been scraped last and grow in no other: a
// little more than the longest usual time between two scrapes.
const lately = 11 * time.Minute

// reservedStep is how often reserved cores are counted.
const reservedStep = time.Minute

// labels are those of a share: project, user, then hosts, then what Infos have in common with it.
func (s *Shares) labels() []string {
	all := append([]string{s.Project, s.User}, s.Hosts...)
	for _, i := range s.Info {
		all = append(all, i.On...)
	}
	var once []string
	for _, l := range all {
		if !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	return once
}

// growth selects the CPU time of each share in the window before each evaluation, in the unit of
// the counters, since it was seen at most lately before the window. A counter that has ended has
// its last value; one that fell began again. One that is new began at 0, if its host was seen
// lately; else nobody knows when, and it counts from its first sample. So does one that was not
// seen lately: what it did meanwhile belongs to other windows. Copies of a counter are one before
// they are compared with what was before: it may have got another label, or a second server.
func (s *Shares) growth(window, lately time.Duration, matchers string) string {
	of, within := selectorOf(s.Metric, s.Matchers, matchers), promDuration(window)
	one := func(pick, format string, args ...any) string {
		each := fmt.Sprintf(format, args...)
		if len(s.Each) == 0 {
			return each
		}
		return fmt.Sprintf("%s by (%s) (%s)", pick, listed(append(s.labels(), s.Each...)...), each)
	}
	last := one("max", "last_over_time(%s[%s])", of, within)
	recent := one("max", "last_over_time(%s[%s] offset %s)", of, promDuration(lately), within)
	before := one("max", "last_over_time(%s[%s] offset %s)", of, promDuration(bornWithin), within)
	first := one("min", "min_over_time(%s[%s])", of, within)
	return fmt.Sprintf("sum by (%s) ((%s - %s >= 0) or ((%s unless (%s <= %s)) and on (%s) %s) or (%s - %s))",
		listed(s.labels()...), last, recent, last, before, last, listed(s.Hosts...), recent, last, first)
}

// reserved selects the core seconds that were reserved for each share in the window before each
// evaluation.
func (s *Shares) reserved(window time.Duration) string {
	step := min(window, reservedStep)
	return multiplied(fmt.Sprintf("sum by (%s) (sum_over_time((%s\n)[%s:%s]))",
		listed(s.labels()...), inWindow(s.CoresQuery, window), promDuration(window), promDuration(step)), step.Seconds())
}

// reservedRate selects the cores that were reserved on average while any were.
func (s *Shares) reservedRate(window time.Duration) string {
	return fmt.Sprintf("sum by (%s) (avg_over_time((%s\n)[%s:%s]))",
		listed(s.labels()...), inWindow(s.CoresQuery, window), promDuration(window), promDuration(min(window, reservedStep)))
}

// queries are all that is asked for about shares.
func (s *Shares) queries(window time.Duration) []string {
	all := []string{s.growth(window, lately, "")}
	if s.CoresQuery != "" {
		all = append(all, s.reserved(window))
	}
	for _, i := range s.Info {
		all = append(all, i.query(i.On, window))
	}
	return all
}

// unit is how many seconds the counters count at once.
func (s *Shares) unit() float64 {
	if s.Unit == 0 {
		return 1
	}
	return s.Unit
}
