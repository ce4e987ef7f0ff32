// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package focus

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	first = time.Date(2026, 10, 1, 0, 0, 0, 0, time.FixedZone("BST", 3600))
	terms = Terms{Provider: "STFC", Region: "Harwell", Currency: "GBP", Price: 0.25}
)

// charge is 2 kWh at 100 gCO2eq/kWh, all of it settled.
func charge() Charge {
	low, high := usage.Grams(190), usage.Grams(211)
	return Charge{
		Key:    usage.Key{Project: "ISIS, 1", Machine: "Muon/A", User: "alice", Group: "=Neutrons"},
		Period: usage.Period{From: first, To: first.AddDate(0, 0, 1)}, Billing: usage.Period{From: first, To: first.AddDate(0, 1, 0)},
		Used: usage.Tally{
			Energy: usage.ByMode[usage.KWh]{Busy: 1.5, Idle: 0.25, Measured: 0.25}, Priced: true,
			Emissions: usage.ByMode[usage.Grams]{Busy: 150, Idle: 25, Measured: 25}, Hardware: 3600, Embodied: 12,
		},
		Energy: &usage.EnergyBounds{Low: 1.9, High: 2.1}, EmissionsLow: &low, EmissionsHigh: &high,
	}
}

// written is a row as a writer writes it, by column.
func written(t *testing.T, terms Terms, c Charge) (head, row []string) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, terms)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(c); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v: %q", err, rows)
	}
	return rows[0], rows[1]
}

func TestCharge(t *testing.T) {
	head, row := written(t, terms, charge())
	var got strings.Builder
	for i, name := range head {
		got.WriteString(name + ": " + row[i] + "\n")
	}
	if want := `BilledCost: 0.5
BillingAccountId: =Neutrons
BillingAccountName: =Neutrons
BillingCurrency: GBP
BillingPeriodEnd: 2026-10-31T23:00:00Z
BillingPeriodStart: 2026-09-30T23:00:00Z
ChargeCategory: Usage
ChargeClass: 
ChargeDescription: Electricity for computing
ChargeFrequency: Usage-Based
ChargePeriodEnd: 2026-10-01T23:00:00Z
ChargePeriodStart: 2026-09-30T23:00:00Z
ConsumedQuantity: 2
ConsumedUnit: Kilowatt-Hours
ContractedCost: 0.5
ContractedUnitPrice: 0.25
EffectiveCost: 0.5
InvoiceIssuerName: STFC
ListCost: 0.5
ListUnitPrice: 0.25
PricingCategory: Standard
PricingQuantity: 2
PricingUnit: Kilowatt-Hours
ProviderName: STFC
PublisherName: STFC
RegionId: Harwell
RegionName: Harwell
ResourceId: ISIS%2C%201/Muon%2FA
ResourceName: Muon/A
ResourceType: Machine Type
ServiceCategory: Compute
ServiceName: Compute
ServiceSubcategory: Virtual Machines
SubAccountId: ISIS, 1
SubAccountName: ISIS, 1
x_UserLabel: alice
x_EnergyKwh: 2
x_EnergyLowKwh: 1.9
x_EnergyHighKwh: 2.1
x_EmissionsGco2eq: 200
x_EmissionsLowGco2eq: 190
x_EmissionsHighGco2eq: 211
x_CarbonIntensityGco2eqPerKwh: 100
x_EmbodiedGco2eq: 12
x_UnpricedEnergyKwh: 0
x_ProvisionalEnergyKwh: 0
x_State: settled
`; got.String() != want {
		t.Errorf("got %s", got.String())
	}
}

func TestWhatIsNotKnownIsNull(t *testing.T) {
	carbon := []string{"x_EmissionsGco2eq", "x_EmissionsLowGco2eq", "x_EmissionsHighGco2eq", "x_CarbonIntensityGco2eqPerKwh"}
	for _, tc := range []struct {
		name   string
		change func(*Terms, *Charge)
		nulls  []string
		state  string
	}{
		{"no carbon intensity", func(_ *Terms, c *Charge) {
			c.Used.Priced, c.Used.Unpriced, c.Used.Emissions, c.EmissionsLow, c.EmissionsHigh = false, 2, usage.ByMode[usage.Grams]{}, nil, nil
		}, carbon, "unpriced"},
		{"a carbon intensity of a part", func(_ *Terms, c *Charge) { c.Used.Unpriced = 1 }, nil, "provisional"},
		{"a price that may change", func(_ *Terms, c *Charge) { c.Used.Provisional = 1 }, nil, "provisional"},
		{"no errors", func(_ *Terms, c *Charge) { c.Energy, c.EmissionsLow, c.EmissionsHigh = nil, nil, nil }, []string{"x_EnergyLowKwh", "x_EnergyHighKwh", "x_EmissionsLowGco2eq", "x_EmissionsHighGco2eq"}, "settled"},
		{"no hardware", func(_ *Terms, c *Charge) { c.Used.Hardware = 0 }, []string{"x_EmbodiedGco2eq"}, "settled"},
		{"no region", func(t *Terms, _ *Charge) { t.Region = "" }, []string{"RegionId", "RegionName"}, "settled"},
		{"no energy", func(_ *Terms, c *Charge) { c.Used.Energy = usage.ByMode[usage.KWh]{} }, []string{"x_CarbonIntensityGco2eqPerKwh"}, "settled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			terms, c := terms, charge()
			tc.change(&terms, &c)
			head, row := written(t, terms, c)
			for i, name := range head {
				if null := name == "ChargeClass" || slices.Contains(tc.nulls, name); null != (row[i] == "") {
					t.Errorf("%s is %q", name, row[i])
				}
			}
			if got := row[slices.Index(head, "x_State")]; got != tc.state {
				t.Errorf("it is %s, want %s", got, tc.state)
			}
		})
	}
}

func TestWhatFOCUSDoesNotTakeIsNotWritten(t *testing.T) {
	c := charge()
	c.Group = ""
	var out bytes.Buffer
	w, err := NewWriter(&out, terms)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(c); err == nil || err.Error() != "charge of ISIS, 1, 2026-09-30T23:00:00Z: BillingAccountId: must not be null" {
		t.Errorf("got %v", err)
	}
	if err := w.Close(); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestTheColumnsOfFOCUS(t *testing.T) {
	s, err := Columns()
	if err != nil {
		t.Fatal(err)
	}
	standard, mandatory := 0, 0
	for _, c := range s {
		if !c.own {
			standard++
			if c.mandatory {
				mandatory++
			}
		}
	}
	if standard != 57 || mandatory != 21 { // as the specification has them
		t.Errorf("%d columns, %d of them mandatory", standard, mandatory)
	}
}

func TestHeadsThatAreRefused(t *testing.T) {
	s, err := Columns()
	if err != nil {
		t.Fatal(err)
	}
	head, _ := written(t, terms, charge())
	for _, tc := range []struct {
		name   string
		change func([]string) []string
		want   string
	}{
		{"a column that there is not", func(h []string) []string { return append(h, "x_Kilograms") }, "x_Kilograms: there is no such column"},
		{"a column twice", func(h []string) []string { return append(h, "x_State") }, "x_State: is there twice"},
		{"a column that is missing", func(h []string) []string { return h[1:] }, "BilledCost: is missing"},
		{"a column after our own", func(h []string) []string { return append(h, "Tags") }, "Tags: must come before our own columns"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := s.CheckHead(tc.change(slices.Clone(head))); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestRowsThatAreRefused(t *testing.T) {
	s, err := Columns()
	if err != nil {
		t.Fatal(err)
	}
	head, row := written(t, terms, charge())
	for _, tc := range []struct{ column, cell, want string }{
		{"BilledCost", "", "BilledCost: must not be null"},
		{"BilledCost", "+1", `BilledCost: must be a decimal number, is "+1"`},
		{"BilledCost", "1e+3", `BilledCost: must be a decimal number, is "1e+3"`},
		{"BilledCost", "NaN", `BilledCost: must be a decimal number, is "NaN"`},
		{"BilledCost", "1,000", `BilledCost: must be a decimal number, is "1,000"`},
		{"ListCost", "0.75", "ListCost: must be PricingQuantity x ListUnitPrice, 0.5, is 0.75"},
		{"ContractedUnitPrice", "-0.25", "ContractedUnitPrice: must not be negative, is -0.25\nContractedCost: must be PricingQuantity x ContractedUnitPrice, -0.5, is 0.5"},
		{"BillingCurrency", "pound", `BillingCurrency: must be a code of ISO 4217, is "pound"`},
		{"ChargePeriodStart", "2026-10-01", `ChargePeriodStart: must be a time in UTC such as 2026-10-01T00:00:00Z, is "2026-10-01"`},
		{"ChargePeriodStart", "2026-10-01T23:00:00Z", "ChargePeriodEnd: must be after ChargePeriodStart"},
		{"ChargeCategory", "usage", `ChargeCategory: must be one of Usage, Purchase, Tax, Credit, Adjustment, is "usage"`},
		{"ProviderName", "  ", "ProviderName: must not be blank"},
		{"PricingUnit", "", "PricingUnit: must be null where PricingQuantity is, and only there"},
		{"ConsumedQuantity", "", "ConsumedUnit: must be null where ConsumedQuantity is, and only there\nConsumedQuantity: must not be null for usage"},
		{"RegionName", "", "RegionName: must be null where RegionId is, and only there"},
		{"x_State", "final", `x_State: must be one of unpriced, provisional, settled, is "final"`},
	} {
		t.Run(tc.column+" "+tc.cell, func(t *testing.T) {
			bad := slices.Clone(row)
			bad[slices.Index(head, tc.column)] = tc.cell
			if err := s.CheckRow(head, bad); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	if err := s.CheckRow(head, row[1:]); err == nil {
		t.Error("a row that is too short is taken")
	}
}
