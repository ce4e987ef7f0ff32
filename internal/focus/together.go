// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package focus

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// together checks what FOCUS says of columns together, as far as rows of usage are concerned.
// Columns that are not in the table are null.
func together(cells map[string]string) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, pair := range [][2]string{ // both or neither
		{"PricingQuantity", "PricingUnit"},
		{"ConsumedQuantity", "ConsumedUnit"},
		{"SubAccountId", "SubAccountName"},
		{"RegionId", "RegionName"},
		{"ResourceId", "ResourceType"},
	} {
		if (cells[pair[0]] == "") != (cells[pair[1]] == "") {
			fault("%s: must be null where %s is, and only there", pair[1], pair[0])
		}
	}
	if cells["ResourceName"] != "" && cells["ResourceId"] == "" {
		fault("ResourceName: must be null where ResourceId is")
	}
	if cells["ChargeCategory"] == "Usage" && cells["ChargeClass"] == "" {
		for _, name := range []string{"PricingQuantity", "ConsumedQuantity"} {
			if cells[name] == "" {
				fault("%s: must not be null for usage", name)
			}
		}
	}
	if c := cells["BillingCurrency"]; !currencyForm.MatchString(c) {
		fault("BillingCurrency: must be a code of ISO 4217, is %q", c)
	}
	for _, name := range []string{"ListUnitPrice", "ContractedUnitPrice"} {
		price, err := strconv.ParseFloat(cells[name], 64)
		if err != nil {
			continue // there is none
		}
		quantity, _ := strconv.ParseFloat(cells["PricingQuantity"], 64)
		cost := strings.Replace(name, "UnitPrice", "Cost", 1)
		got, _ := strconv.ParseFloat(cells[cost], 64)
		if price < 0 {
			fault("%s: must not be negative, is %s", name, cells[name])
		}
		if want := price * quantity; math.Abs(got-want) > 1e-12*math.Abs(want) {
			fault("%s: must be PricingQuantity x %s, %v, is %s", cost, name, want, cells[cost])
		}
	}
	// Times in UTC of one form have the order of their texts.
	for _, period := range []string{"BillingPeriod", "ChargePeriod"} {
		if cells[period+"Start"] >= cells[period+"End"] {
			fault("%sEnd: must be after %[1]sStart", period)
		}
	}
	return errors.Join(faults...)
}
