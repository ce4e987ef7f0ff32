// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/text/currency"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/focus"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exportFOCUS writes usage as charges for electricity, for tools of FinOps.
type exportFOCUS struct {
	export
	terms      focus.Terms
	priceGiven bool
}

func (e *exportFOCUS) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "focus", "Write charges for electricity, with carbon (FOCUS 1.2).", `
Writes CSV in the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification,
for tools that show what clouds cost. A row is the electricity that one combination of
project, machine type, user and group used on one day, in the time zone of the store.
Its group is the billing account, its project the sub account, its machine type the
resource. Cost is energy times --price-per-kwh, and all four costs are the same.

Columns that begin with x_ have energy and emissions with their bounds, and whether
they may still change. What is not known is an empty cell, which FOCUS takes for null;
it is never 0. Users are shown as attribution.user_label says. Names are as they are
stored: the file is for programs, so open it in a spreadsheet only if you trust them.

Every row is held to the specification before it is written.

Example:

    carbontool export focus --site-name=STFC --price-per-kwh=0.24 --currency=GBP \
      --month=2026-10 --output=october.csv
`)
	c.Flag("site-name", "Who runs the site: the provider, publisher and invoice issuer.").Required().PlaceHolder("NAME").StringVar(&e.terms.Provider)
	c.Flag("price-per-kwh", "Price of a kWh in the currency. It may be 0. Must be given: FOCUS has no unknown costs.").PlaceHolder("PRICE").IsSetByUser(&e.priceGiven).Float64Var(&e.terms.Price)
	c.Flag("currency", "Currency of the price, as a code of ISO 4217 such as GBP. Must be given.").PlaceHolder("CODE").StringVar(&e.terms.Currency)
	c.Flag("region", "Region of the site, for RegionId and RegionName. Without it they are null.").PlaceHolder("NAME").StringVar(&e.terms.Region)
	return c
}

// isCurrency reports whether a code is one of ISO 4217.
func isCurrency(code string) bool {
	unit, err := currency.ParseISO(code)
	return err == nil && unit.String() == code // it takes gbp, too
}

// checkFlags refuses what no row can have.
func (e *exportFOCUS) checkFlags() error {
	t := e.terms
	switch {
	case strings.TrimSpace(t.Provider) == "":
		return wrongUsef("--site-name: is empty; give the name of the site")
	case !e.priceGiven:
		return wrongUsef("--price-per-kwh: is missing; FOCUS has no unknown costs, so give what a kWh costs, or 0")
	case t.Currency == "":
		return wrongUsef("--currency: is missing; give the currency of --price-per-kwh, such as GBP")
	case !(t.Price >= 0 && t.Price <= maxFlag):
		return wrongUsef("--price-per-kwh: must be 0 or more, is %v", t.Price)
	case !isCurrency(t.Currency):
		return wrongUsef("--currency: must be a code of ISO 4217 such as GBP, is %q", t.Currency)
	case t.Region != "" && strings.TrimSpace(t.Region) == "":
		return wrongUsef("--region: is blank; leave it out")
	}
	return nil
}

func (e *exportFOCUS) run(ctx context.Context, s streams) error {
	if err := e.checkFlags(); err != nil {
		return err
	}
	now := time.Now()
	x, err := e.open(ctx, now)
	if err != nil {
		return err
	}
	defer x.Close()
	user, err := x.users(ctx)
	if err != nil {
		return err
	}
	shown := func(k usage.Key) usage.Key {
		k.User = user(k.User)
		return k
	}
	open := func(out io.Writer) (dayWriter[focus.Charge], error) { return focus.NewWriter(out, e.terms) }
	row := func(day answers.Day, k answers.KeyUse) focus.Charge { return chargeOf(day, k, x.Timezone()) }
	return writeDays(ctx, s, &e.export, x, now, shown, open, row)
}

// chargeOf is what a key used on a day. It is billed in the calendar month of the day.
func chargeOf(day answers.Day, k answers.KeyUse, zone *time.Location) focus.Charge {
	c := focus.Charge{Key: k.Key, Used: k.Tally, Period: day.Covered, Billing: budget.Month.Period(day.Date.From, zone), Energy: k.Energy}
	if k.Emissions != nil {
		c.EmissionsLow, c.EmissionsHigh = &k.Emissions.Low, &k.Emissions.High
	}
	return c
}
