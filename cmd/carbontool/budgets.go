// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/url"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// listBudgets shows where the budgets stand.
type listBudgets struct {
	site
	answers.Budgets
	csvSafe csvSafe
}

func (b *listBudgets) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("budgets", "Show what is used of each budget, how fast, and where its period will end.").HelpLong(`
The numbers are those of /metrics and of the alerts. Used is what is stored and, for a
budget in grams, priced; a line says how much of the period so far is not in it. A burn
ratio is the rate of the last 2 hours, day or 7 days over the rate that exactly uses up
the limit in the period. Projected is what will have been used at the end of the period
at the rate of the last 7 days, over the limit. What is not known is "-" in a table, an
empty cell in CSV and null in JSON.

"carbontool gate" decides by them.

Example:

    carbontool budgets --config.file=/etc/carbon_exporter/carbon.yml
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	b.site.register(c)
	c.Flag("format", "Output format: table, csv or json.").Default(answers.Table).EnumVar(&b.Format, answers.BudgetsFormats()...)
	b.csvSafe.register(c)
	return c
}

func (b *listBudgets) run(ctx context.Context, s streams) error {
	c, err := b.config()
	if err != nil {
		return err
	}
	found, err := b.answer(ctx, s, c)
	if err != nil {
		return err
	}
	return found.Write(s.out, b.csvSafe.text)
}

func (b *listBudgets) ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error {
	return from.Ask(ctx, "budgets", withFormat(flags, b.Format), s.out)
}

// answer reads the store.
func (b *listBudgets) answer(ctx context.Context, s streams, c *config.Config) (answers.Answer, error) {
	st, err := b.openToRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	return b.Answer(ctx, from(c, st, s.time().Now()))
}
