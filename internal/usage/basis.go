// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "strings"

// Basis is what a carbon intensity counts. A part is empty if its source does not say.
type Basis struct {
	Signal      string // Average or Marginal
	Emissions   string // Lifecycle or Direct
	Electricity string // Consumption or Production
}

// The values of Basis. Their words are different in each part, so that one text can hold all.
const (
	Average     = "average"     // of everything that generates
	Marginal    = "marginal"    // of what one more kWh would make generate
	Lifecycle   = "lifecycle"   // building plants and mining fuel included
	Direct      = "direct"      // what plants emit while they run
	Consumption = "consumption" // imports and exports are counted
	Production  = "production"  // only what the grid itself generates
)

// String writes the parts that are known, such as "average direct consumption"; empty: none is.
func (b Basis) String() string {
	return strings.Join(strings.Fields(b.Signal+" "+b.Emissions+" "+b.Electricity), " ")
}

// BasisOf reads what String has written. It leaves out words that it does not know.
func BasisOf(text string) (b Basis) {
	for word := range strings.FieldsSeq(text) {
		switch word {
		case Average, Marginal:
			b.Signal = word
		case Lifecycle, Direct:
			b.Emissions = word
		case Consumption, Production:
			b.Electricity = word
		}
	}
	return b
}

// Or fills in the parts that are not known.
func (b Basis) Or(o Basis) Basis {
	for _, part := range []struct{ known, other *string }{
		{&b.Signal, &o.Signal}, {&b.Emissions, &o.Emissions}, {&b.Electricity, &o.Electricity},
	} {
		if *part.known == "" {
			*part.known = *part.other
		}
	}
	return b
}

// Agrees reports whether values of both may be added up: no part that both know is another.
func (b Basis) Agrees(o Basis) bool { return b.Or(o) == o.Or(b) }
