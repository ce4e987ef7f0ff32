// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Amounts are the amounts of all Equivalents, in their order; nil if unknown.
type Amounts []*float64

func amounts(grams *float64) Amounts {
	all := make(Amounts, len(Equivalents()))
	for i, e := range Equivalents() {
		if grams != nil {
			all[i] = value(e.of(usage.Grams(*grams)))
		}
	}
	return all
}

// MarshalJSON writes an object keyed by the names of equivalents.
func (a Amounts) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, e := range Equivalents() {
		v, err := json.Marshal(a[i])
		if err != nil {
			return nil, err
		}
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(`"` + e.Name + `":` + string(v))
	}
	b.WriteString("}")
	return b.Bytes(), nil
}
