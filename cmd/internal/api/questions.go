// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// endpoint is a page with answers to one question.
type endpoint struct {
	name string
	ask  func() *question // new, with the defaults
}

// question is a question that parameters fill in.
type question struct {
	parameters []parameter
	format     func() string
	csvSafe    bool
	answer     func(context.Context, answers.From) (answers.Answer, error)
	// depends is what the answer depends on beside the store, the parameters and the state; false:
	// the answer is another one at every moment.
	depends func(answers.From) (string, bool)
}

// endpoints lists them all.
func endpoints() []endpoint {
	return []endpoint{{"report", askReport}, {"explain", askExplain}, {"forecast", askForecast}, {"budgets", askBudgets}, {"intervals", askIntervals}}
}

func askReport() *question {
	ask := &answers.Report{
		Span: when.Range{Present: true, Months: true}, Scope: string(usage.ScopeProject), Format: answers.JSON,
		MostParts: mostParts, MostRows: mostRows,
	}
	q := &question{
		format: func() string { return ask.Format }, csvSafe: true,
		answer: func(ctx context.Context, from answers.From) (answers.Answer, error) {
			if err := ask.CheckFactors(from.Config); err != nil {
				return nil, err
			}
			if err := ask.Check(); err != nil {
				return nil, err
			}
			return ask.Answer(ctx, from)
		},
		depends: func(from answers.From) (string, bool) { return settled(ask.Span, from) },
	}
	q.parameters = []parameter{
		oneOf("scope", answers.ReportScopes(), &ask.Scope),
		text("from", &ask.Span.From, &ask.Span.FromGiven),
		text("to", &ask.Span.To, &ask.Span.ToGiven),
		text("month", &ask.Span.Month, &ask.Span.MonthGiven),
		oneOf("by", answers.ReportParts(), &ask.By),
		number("top", &ask.Top, &ask.TopGiven),
		yes("equivalents", &ask.Equivalents),
		yes("factors", &ask.Factors),
		oneOf("format", answers.ReportFormats(), &ask.Format),
		yes("csv-safe", &q.csvSafe),
	}
	return q
}

// settled is the period of a range, if the answer does not depend on now: an interval that is not
// over yet may be missing later.
func settled(span when.Range, from answers.From) (string, bool) {
	p, err := span.Period(from.Zone(), from.Now)
	over := from.Now
	if length := from.Store.Interval(); length > 0 {
		over = usage.IntervalAt(from.Now, length).Start
	}
	return fmt.Sprint(p.From.Unix(), p.To.Unix()), err == nil && !p.To.After(over)
}

func askExplain() *question {
	ask := &answers.Explain{Format: answers.JSON}
	var given bool
	return &question{
		format: func() string { return ask.Format },
		answer: func(ctx context.Context, from answers.From) (answers.Answer, error) { return ask.Answer(ctx, from) },
		depends: func(from answers.From) (string, bool) {
			at, err := when.Past("--ts", ask.TS, from.Zone(), from.Now)
			if err != nil || from.Store.Interval() <= 0 {
				return "", false
			}
			i := usage.IntervalAt(at, from.Store.Interval())
			return fmt.Sprint(i.Start.Unix(), from.Now.Before(i.End())), true
		},
		parameters: []parameter{
			required(text("ts", &ask.TS, &given)),
			required(text("project", &ask.Project, &given)),
			text("machine", &ask.Machine.Name, &ask.Machine.Given),
			text("user", &ask.User.Name, &ask.User.Given),
			text("group", &ask.Group.Name, &ask.Group.Given),
			oneOf("format", answers.ExplainFormats(), &ask.Format),
		},
	}
}

func askForecast() *question {
	ask := &answers.Forecast{Window: answers.ForecastWindow, Format: answers.JSON}
	var given bool
	return &question{
		format: func() string { return ask.Format },
		answer: func(ctx context.Context, from answers.From) (answers.Answer, error) { return ask.Answer(ctx, from) },
		depends: func(from answers.From) (string, bool) {
			if _, err := ask.Job(from.Config.Location(), from.Now); err != nil {
				return "", false // a time that was to come may have passed
			}
			// Of several sources it is the age of their forecasts that decides which one counts.
			grids, err := from.Grids()
			sources := len(answers.Ahead(grids.Marginal)) + len(answers.Ahead(grids.Priced))
			return usage.SlotAt(from.Now).Format(time.RFC3339), err == nil && sources == 1
		},
		parameters: []parameter{
			text("window", &ask.Window, &given),
			text("until", &ask.Until, &ask.UntilGiven),
			oneOf("format", answers.ForecastFormats(), &ask.Format),
		},
	}
}

func askBudgets() *question {
	ask := &answers.Budgets{Format: answers.JSON}
	q := &question{
		format: func() string { return ask.Format }, csvSafe: true,
		answer: func(ctx context.Context, from answers.From) (answers.Answer, error) { return ask.Answer(ctx, from) },
		depends: func(from answers.From) (key string, ok bool) {
			for _, b := range parts.Budgets(from.Config) {
				p, inForce := b.Period(from.Now)
				key += fmt.Sprint(p.From.Unix(), p.To.Unix(), inForce, ";")
			}
			return key, true
		},
	}
	q.parameters = []parameter{
		oneOf("format", answers.BudgetsFormats(), &ask.Format),
		yes("csv-safe", &q.csvSafe),
	}
	return q
}

func askIntervals() *question {
	ask := &answers.Intervals{Span: when.Range{All: true}, Format: answers.JSON, Most: mostRows}
	return &question{
		format: func() string { return ask.Format },
		answer: func(ctx context.Context, from answers.From) (answers.Answer, error) { return ask.Answer(ctx, from) },
		depends: func(from answers.From) (string, bool) {
			switch {
			case ask.Format != answers.JSON: // it says what a wrong clock has left, as of now
				return "", false
			case !ask.Span.FromGiven && !ask.Span.ToGiven:
				return "all", true
			}
			return settled(ask.Span, from)
		},
		parameters: []parameter{
			text("from", &ask.Span.From, &ask.Span.FromGiven),
			text("to", &ask.Span.To, &ask.Span.ToGiven),
			several("state", answers.IntervalStates(), &ask.States),
			oneOf("format", answers.IntervalFormats(), &ask.Format),
		},
	}
}
