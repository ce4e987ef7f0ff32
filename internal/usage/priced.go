// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// PricedBy is what priced the half hours of a time that have usage, as shares of them. The shares
// add up to less than 1 while some have no price.
type PricedBy struct {
	Pieces   int                // that have usage; 0: there are no shares
	Provider map[string]float64 // by the name of the provider
	Basis    map[string]float64 // by what Basis.Name says
}

// Undeclared stands for a basis of which nothing is known.
const Undeclared = "undeclared"

// Name is the basis in words for people and labels, or Undeclared.
func (b Basis) Name() string {
	if text := b.String(); text != "" {
		return text
	}
	return Undeclared
}

// PriceUsed is the energy that prices of one kind were used for.
type PriceUsed struct {
	GridName
	Basis   Basis
	Quality Quality
	Energy  KWh
}
