// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// validate reports every value that the program could not work with. No duration is negative
// here: model.Duration has no syntax for that.
func (c *Config) validate(f *faults) {
	c.validateTimes(f)
	c.Prometheus.validate(f)
	c.Power.validate(f, c.Prometheus.Memory.Query != "")
	c.Embodied.validate(f)
	c.CarbonIntensity.validate(f)
	c.Attribution.validate(f, c.MongoDB != nil || c.Directory != nil)
	if c.MongoDB != nil {
		c.MongoDB.validate(f)
	}
	if c.Directory != nil {
		c.Directory.validate(f, c.MongoDB != nil)
	}
	if c.Lake != nil {
		c.Lake.validate(f)
	}
	validateBudgets(f, c.Budgets)
}

func (c *Config) validateTimes(f *faults) {
	interval := time.Duration(c.Interval)
	switch {
	case interval < minPiece:
		f.key("interval", "must be at least %s, is %s", model.Duration(minPiece), c.Interval)
	case day%interval != 0:
		f.key("interval", "must divide 24h, is %s; use %s", c.Interval, nearbyIntervals(interval))
	case usage.PieceLength(interval) < minPiece:
		f.key("interval", "an interval of %s is split at half hours into pieces of %s, shorter than %s; use %s",
			c.Interval, model.Duration(usage.PieceLength(interval)), model.Duration(minPiece), nearbyIntervals(interval))
	}
	if reread := c.Prometheus.RereadAfter; reread != 0 && !c.rereads() {
		f.key("prometheus.reread_after", "must be longer than lag (%s) and shorter than settle_after (%s), or 0 for no second reading, is %s",
			c.Prometheus.Lag, c.SettleAfter, reread)
	}
	if c.Lookback < c.Interval {
		f.key("lookback", "must be at least the interval of %s, is %s", c.Interval, c.Lookback)
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" || c.Timezone == "Local" {
		// "Local" would make the same file mean different months on different machines.
		f.key("timezone", "must be a time zone such as Europe/London, is %q", c.Timezone)
	}
	c.validateMetrics(f)
}

// rereads says that a second reading comes after the first and before an interval settles.
func (c *Config) rereads() bool {
	return c.Prometheus.Lag < c.Prometheus.RereadAfter && c.Prometheus.RereadAfter < c.SettleAfter
}

const (
	day = 24 * time.Hour
	// minPiece is the shortest time to query: it must contain scrapes.
	minPiece = time.Minute
)

// nearbyIntervals names the nearest valid intervals in whole minutes on either side.
func nearbyIntervals(interval time.Duration) string {
	fits := func(d time.Duration) bool { return day%d == 0 && usage.PieceLength(d) >= minPiece }
	var nearby []string
	for d := min(interval, day).Truncate(time.Minute); d >= minPiece; d -= time.Minute {
		if fits(d) {
			nearby = append(nearby, model.Duration(d).String())
			break
		}
	}
	for d := interval.Truncate(time.Minute) + time.Minute; d <= day; d += time.Minute {
		if fits(d) {
			nearby = append(nearby, model.Duration(d).String())
			break
		}
	}
	return strings.Join(nearby, " or ")
}

// validateURL reports a URL that is not the base of an HTTP API. It shows no value: because of
// a misplaced character any part may contain a password.
func validateURL(f *faults, path string, u config.URL) {
	switch {
	case u.URL == nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		f.key(path, "must begin with http:// or https:// and name a host")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		f.key(path, "must not have a query or a fragment")
	}
}

// between is false for NaN; with math.MaxFloat64 as high it is false for infinity.
func between(v, low, high float64) bool { return v >= low && v <= high }

// validateNotNegative reports anything but a finite number from 0 on.
func validateNotNegative(f *faults, path string, v float64) {
	if !between(v, 0, math.MaxFloat64) {
		f.key(path, "must be finite and not negative, is %v", v)
	}
}

// validatePositive reports anything but a finite number above 0.
func validatePositive(f *faults, path string, v float64) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		f.key(path, "must be finite, is %v", v)
	case v <= 0:
		f.key(path, "must be positive, is %v", v)
	}
}

// validateQuery reports a query that asks nothing.
func validateQuery(f *faults, path, query string) {
	if strings.TrimSpace(query) == "" {
		f.key(path, "must not be empty")
	}
}

// validateFraction reports anything but a number from 0 to 1; nil is not known.
func validateFraction(f *faults, path string, v *float64) {
	if v != nil && !between(*v, 0, 1) {
		f.key(path, "must be 0 to 1, is %v", *v)
	}
}

// validateName reports a name that is empty or one of those before it.
func validateName(f *faults, path, name string, before map[string]bool) {
	if name == "" {
		f.key(path, "must not be empty")
	} else if before[name] {
		f.key(path, "must be unique, but %q is used already", name)
	}
	before[name] = true
}

// validateOneOf reports a value that is none of the words.
func validateOneOf(f *faults, path, v string, words ...string) {
	if !slices.Contains(words, v) {
		f.key(path, "must be %s, is %q", strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1], v)
	}
}
