// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package focus writes usage as charges for electricity, in the columns of FOCUS, the FinOps Open
// Cost and Usage Specification, with carbon in columns of our own. It knows the columns and what
// they mean; it must not know stores, how people are shown, or flags. Start with Terms.cells.
package focus

import (
	"net/url"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Terms are what all charges of a site have in common.
type Terms struct {
	Provider string  // who runs the site, owns it and issues the bill
	Region   string  // empty: not known
	Currency string  // a code of ISO 4217
	Price    float64 // of a kWh, in the currency
}

// Charge is what one key used in a period, of a billing period. Nil is not known, which is never 0.
type Charge struct {
	usage.Key       // its user as they may be shown
	Used            usage.Tally
	Period, Billing usage.Period
	Energy          *usage.EnergyBounds
	EmissionsLow    *usage.Grams
	EmissionsHigh   *usage.Grams
}

// What the charges are for.
const (
	kilowattHours = "Kilowatt-Hours"
	description   = "Electricity for computing"
	machineType   = "Machine Type"
)

// pair is a cell and its column.
type pair struct{ column, cell string }

// cells are those of a charge, in the order of their columns. Empty is null.
func (t Terms) cells(c Charge) []pair {
	u := c.Used
	energy := number(u.Energy.Total())
	cost := digits(t.Price * float64(u.Energy.Total()))
	price := digits(t.Price)
	cells := []pair{
		{"BilledCost", cost},
		{"BillingAccountId", c.Group},
		{"BillingAccountName", c.Group},
		{"BillingCurrency", t.Currency},
		{"BillingPeriodEnd", stamp(c.Billing.To)},
		{"BillingPeriodStart", stamp(c.Billing.From)},
		{"ChargeCategory", "Usage"},
		{"ChargeClass", ""},
		{"ChargeDescription", description},
		{"ChargeFrequency", "Usage-Based"},
		{"ChargePeriodEnd", stamp(c.Period.To)},
		{"ChargePeriodStart", stamp(c.Period.From)},
		{"ConsumedQuantity", energy},
		{"ConsumedUnit", kilowattHours},
		{"ContractedCost", cost},
		{"ContractedUnitPrice", price},
		{"EffectiveCost", cost},
		{"InvoiceIssuerName", t.Provider},
		{"ListCost", cost},
		{"ListUnitPrice", price},
		{"PricingCategory", "Standard"},
		{"PricingQuantity", energy},
		{"PricingUnit", kilowattHours},
		{"ProviderName", t.Provider},
		{"PublisherName", t.Provider},
		{"RegionId", t.Region},
		{"RegionName", t.Region},
		{"ResourceId", url.PathEscape(c.Project) + "/" + url.PathEscape(c.Machine)},
		{"ResourceName", c.Machine},
		{"ResourceType", machineType},
		{"ServiceCategory", "Compute"},
		{"ServiceName", "Compute"},
		{"ServiceSubcategory", "Virtual Machines"}, // FOCUS: up to bare-metal servers
		{"SubAccountId", c.Project},
		{"SubAccountName", c.Project},
	}
	return append(cells, c.carbon()...)
}

// carbon are the cells of our own columns.
func (c Charge) carbon() []pair {
	u := c.Used
	var low, high, grams, intensity, embodied string
	if c.Energy != nil {
		low, high = number(c.Energy.Low), number(c.Energy.High)
	}
	if u.Priced {
		grams = number(u.Emissions.Total())
		if priced := u.Energy.Total() - u.Unpriced; priced > 0 {
			intensity = digits(float64(u.Emissions.Total()) / float64(priced))
		}
	}
	if u.Hardware > 0 { // of old hardware it may be 0
		embodied = number(u.Embodied)
	}
	return []pair{
		{"x_UserLabel", c.User},
		{"x_EnergyKwh", number(u.Energy.Total())},
		{"x_EnergyLowKwh", low},
		{"x_EnergyHighKwh", high},
		{"x_EmissionsGco2eq", grams},
		{"x_EmissionsLowGco2eq", known(c.EmissionsLow)},
		{"x_EmissionsHighGco2eq", known(c.EmissionsHigh)},
		{"x_CarbonIntensityGco2eqPerKwh", intensity},
		{"x_EmbodiedGco2eq", embodied},
		{"x_UnpricedEnergyKwh", number(u.Unpriced)},
		{"x_ProvisionalEnergyKwh", number(u.Provisional)},
		{"x_State", string(stateOf(u))},
	}
}

// stateOf is settled once nothing of it may change.
func stateOf(u usage.Tally) usage.State {
	switch {
	case !u.Priced:
		return usage.Unpriced
	case u.Unpriced > 0 || u.Provisional > 0:
		return usage.Provisional
	}
	return usage.Settled
}

func stamp(at time.Time) string { return at.UTC().Format(dateTime) }

func known(v *usage.Grams) string {
	if v == nil {
		return ""
	}
	return number(*v)
}

func number[T ~float64](v T) string { return digits(float64(v)) }

// digits is a number with all its digits, and without an exponent.
func digits(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
