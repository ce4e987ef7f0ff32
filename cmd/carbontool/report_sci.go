// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sciFlags ask for the Software Carbon Intensity in place of usage.
type sciFlags struct {
	asked              bool
	per, unit          string
	perGiven, perNamed bool
}

func (f *sciFlags) register(c *kingpin.CmdClause) {
	c.Flag("sci", "Show the Software Carbon Intensity: gCO2eq, operational and embodied, for each R of --per.").BoolVar(&f.asked)
	c.Flag("per", "With --sci: R, a number, or PromQL such as 'sum(increase(jobs_total[$__range]))'. Series that have the label of --scope give R by member.").
		PlaceHolder("R").IsSetByUser(&f.perGiven).StringVar(&f.per)
	c.Flag("per-unit", "With --sci: what one R is, such as jobs.").PlaceHolder("NAME").IsSetByUser(&f.perNamed).StringVar(&f.unit)
}

// check refuses what has no meaning together.
func (f *sciFlags) check(r *reportUsage) error {
	switch {
	case !f.asked && f.perGiven:
		return wrongUsef("--per: add --sci")
	case !f.asked && f.perNamed:
		return wrongUsef("--per-unit: add --sci")
	case !f.asked:
		return nil
	case strings.TrimSpace(f.per) == "":
		return wrongUsef("--sci: add --per, what the emissions are divided by: a number, or PromQL such as 'sum(increase(jobs_total[$__range]))'")
	case r.By != "":
		return wrongUsef("--by: cannot be combined with --sci, whose R is of the whole range")
	case r.Factors:
		return wrongUsef("--factors: cannot be combined with --sci")
	case r.Equivalents:
		return wrongUsef("--equivalents: cannot be combined with --sci")
	}
	if n, err := strconv.ParseFloat(f.per, 64); err == nil && (n < 0 || math.IsNaN(n) || math.IsInf(n, 0)) {
		return wrongUsef("--per: must be a number that is not negative, or PromQL, is %s", f.per)
	}
	if strings.Contains(source.InRange(f.per, time.Hour), "$__") {
		return wrongUsef("--per: of the variables of Grafana, $__range and $__range_seconds are replaced, and no other")
	}
	return nil
}

// units returns R of a report. An expression is asked for over the intervals that the report is
// made of, so that R is of the same time as the energy.
func (f *sciFlags) units(ctx context.Context, c *config.Config, rep *report.Report, interval time.Duration, now time.Time) (report.Units, error) {
	u := report.Units{Unit: f.unit}
	labels := labelsOf(rep.Scope, c.Prometheus.Labels)
	if len(labels) > 0 {
		u.Label = labels[0]
	}
	if n, err := strconv.ParseFloat(f.per, 64); err == nil {
		u.Site = &n
		return u, nil
	}
	over := whole(rep.Whole.Period, interval, now)
	u.At, u.Over = over.To, over.To.Sub(over.From)
	if len(rep.Whole.Members) == 0 || u.Over <= 0 {
		u.Expression = f.per
		return u, nil // there is nothing to divide
	}
	u.Expression = source.InRange(f.per, u.Over)
	client, err := parts.Source(c.Prometheus, nil)
	if err != nil {
		return u, err
	}
	values, err := client.Instant(ctx, u.Expression, u.At)
	if failure := usage.FailureOf(err); failure != nil && failure.Reason == usage.ReasonBadRequest {
		return u, wrongUsef("--per: Prometheus rejects the query %s: %s", u.Expression, failure.Detail)
	}
	if err != nil {
		return u, err
	}
	err = share(&u, values, rep.Scope, labels)
	return u, err
}

// whole is the time of the complete intervals that begin in a period.
func whole(p usage.Period, interval time.Duration, now time.Time) usage.Period {
	if interval <= 0 {
		return p
	}
	up := func(t time.Time) time.Time {
		i := usage.IntervalAt(t, interval)
		if i.Start.Before(t) {
			return i.End()
		}
		return i.Start
	}
	over := usage.Period{From: up(p.From), To: up(p.To)}
	if over.To.After(now) {
		over.To = usage.IntervalAt(now, interval).Start
	}
	return over
}

// labelsOf are the labels that name the members of a scope: as on this Prometheus, and as on the
// exporter's own metrics.
func labelsOf(scope usage.Scope, l config.Labels) []string {
	theirs := map[usage.Scope]string{usage.ScopeProject: l.Project, usage.ScopeMachine: l.Machine, usage.ScopeUser: l.User}[scope]
	switch {
	case scope == usage.ScopeAda:
		return nil
	case theirs == "" || theirs == string(scope):
		return []string{string(scope)}
	}
	return []string{theirs, string(scope)}
}

// share gives what an expression has counted to the site or, if its series name them, to members.
func share(u *report.Units, values []source.Value, scope usage.Scope, labels []string) error {
	for _, label := range labels {
		if slices.ContainsFunc(values, func(v source.Value) bool { return v.Labels[label] != "" }) {
			u.Label, u.Members = label, map[string]float64{}
			for _, v := range values {
				name := usage.Name(v.Labels[label])
				if name == "" {
					name = nobody(scope)
				}
				if _, twice := u.Members[name]; twice {
					return wrongUsef("--per: the answer has several series for %s %q; write sum by (%s) (...)", scope, name, label)
				}
				u.Members[name] = v.Value
			}
			return nil
		}
	}
	switch {
	case len(values) > 1 && len(labels) > 0:
		return wrongUsef("--per: the answer has %d series without a label %s; write sum(...), or sum by (%s) (...)", len(values), strings.Join(labels, " or "), labels[0])
	case len(values) > 1:
		return wrongUsef("--per: the answer has %d series; write sum(...)", len(values))
	case len(values) == 1:
		u.Site = &values[0].Value
	}
	return nil
}

// nobody is the member that has the usage of series without a label.
func nobody(scope usage.Scope) string {
	if scope == usage.ScopeUser {
		return usage.Unattributed
	}
	return usage.Unknown
}
