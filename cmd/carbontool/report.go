// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// reportUsage adds up usage, for people and for spreadsheets.
type reportUsage struct {
	site
	answers.Report
	csvSafe csvSafe
	sci     sciFlags
}

func (r *reportUsage) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("report", "Show energy and emissions by project, machine type, user or group.").HelpLong(`
Without a range, the report is of the current month up to now. It covers the intervals
that start in the range. Days, weeks (Monday to
Sunday) and months are in the time zone of the store. Emissions cover the energy
that has a carbon intensity; the rest is shown as unpriced, never as 0. Unknown
values are "-" in a table, an empty cell in CSV and null in JSON. Each total is the
sum of the rows above it; with --top, one row holds all other members.

Low and high bounds, where d is the standard error of the average power relative to
the energy, and e is the mean error of forecasts:

  energy     (1 - d) x kWh                    (1 + d) x kWh
  emissions  (1 - d) x (g - e x forecast kWh) (1 + d) x (g + e x forecast kWh)

"forecast kWh" is the energy priced with a forecast. Where there is any, e is measured
over the forecasts of the last 28 days and of the range if there are at least 48 half
hours of them; otherwise it is 24 gCO2eq/kWh, as documented for the UK. Where d is
unknown (watts that were configured, not measured), the bounds ignore it, and
error_unknown_ratio gives the share of energy concerned.

CPU coverage is known per project, so it is shown for the scopes site and project.
--sci divides by R, what the usage was for, such as jobs: the Software Carbon
Intensity (E x I + M) / R of ISO/IEC 21031:2024. --per is R: a number, or PromQL that
is evaluated once, at the end of the range, in which $__range is its length. R, M or
an I that is unknown makes it unknown.
--factors shows what the same energy emitted by each set of carbon_intensity.also,
such as lifecycle factors or a contract, beside the ordinary emissions, and of which
share of the energy that is known. Their columns are never added up.

Users are shown by id; --names adds their names. Equivalents come with their source
in tables and JSON, and in docs/accuracy.md.

If nothing is stored for the range, the command says so on standard error and exits
with 0.

Example:

    carbontool report --scope=project --month=2026-10 --top=5 --equivalents
    carbontool report --scope=site --from=yesterday --to=today
    carbontool report --scope=user --from=2026-08 --by=week --format=csv
    carbontool report --scope=site --month=2026-10 --factors
    carbontool report --sci --per='sum(increase(jobs_total[$__range]))'
`)
	r.site.register(c)
	(*timeRange)(&r.Span).registerPresent(c)
	c.Flag("scope", "What to add up by: site (all of it; ada is the same), project, machine, user or group.").
		Default(string(usage.ScopeProject)).EnumVar(&r.Scope, answers.ReportScopes()...)
	c.Flag("by", "Split the range by day, week or month.").EnumVar(&r.By, answers.ReportParts()...)
	c.Flag("format", "Output format: table, csv or json.").Default(answers.Table).EnumVar(&r.Format, answers.ReportFormats()...)
	c.Flag("equivalents", "Add everyday equivalents, such as kilometres by car.").BoolVar(&r.Equivalents)
	c.Flag("factors", "Add what the same energy emitted by the other factors of the configuration, carbon_intensity.also.").BoolVar(&r.Factors)
	c.Flag("top", "Show the N members with the most energy, and one row for all others.").
		PlaceHolder("N").IsSetByUser(&r.TopGiven).IntVar(&r.Top)
	c.Flag("names", "With --scope=user: also show the names of users.").BoolVar(&r.Names)
	r.sci.register(c)
	r.csvSafe.register(c)
	return c
}

func (r *reportUsage) ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := r.sci.check(r); err != nil {
		return err
	}
	if r.sci.asked {
		return wrongUsef("--sci: asks Prometheus from here, by a configuration: leave out --server")
	}
	return from.Ask(ctx, "report", withFormat(flags, r.Format), s.out)
}

func (r *reportUsage) run(ctx context.Context, s streams) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := r.sci.check(r); err != nil {
		return err
	}
	c, err := r.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := r.check(r.Span, c, now); err != nil {
		return err
	}
	if err := r.CheckFactors(c); err != nil {
		return err
	}
	st, err := r.openToRead(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	rep, err := r.Answer(ctx, from(c, st, now))
	if err != nil {
		return err
	}
	if rep.Empty() {
		nothing, err := rep.Nothing(ctx, st)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "carbontool report: %s\n", nothing)
	}
	if r.sci.asked {
		per, err := r.sci.units(ctx, c, rep.Report, st.Interval(), now)
		if err != nil {
			return err
		}
		return answers.WriteRows(&report.SCI{Report: *rep.Report, Per: per}, s.out, r.Format, r.csvSafe.text)
	}
	return rep.Write(s.out, r.csvSafe.text)
}
