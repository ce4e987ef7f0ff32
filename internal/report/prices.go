// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Prices are what the energy of a time was priced with.
type Prices []usage.PriceUsed

// shares divides the priced energy by what a price says, in its order.
func (all Prices) shares(by func(usage.PriceUsed) string) map[string]float64 {
	var sum usage.Sum
	parts := map[string]*usage.Sum{}
	for _, p := range all {
		sum.Add(float64(p.Energy))
		if parts[by(p)] == nil {
			parts[by(p)] = &usage.Sum{}
		}
		parts[by(p)].Add(float64(p.Energy))
	}
	shares := map[string]float64{}
	for name, part := range parts {
		if whole := sum.Float64(); whole > 0 {
			shares[name] = part.Float64() / whole
		}
	}
	return shares
}

func (all Prices) qualities() map[string]float64 {
	return all.shares(func(p usage.PriceUsed) string { return string(p.Quality) })
}

func (all Prices) bases() map[string]float64 {
	return all.shares(func(p usage.PriceUsed) string { return p.Basis.Name() })
}

// most lists names by their shares, the largest first.
func most(shares map[string]float64) (names []string) {
	for name := range shares {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(shares[b], shares[a]), cmp.Compare(a, b)) })
	return names
}

// percentEach writes shares for people: "92 % final, 8 % estimated". What is there is never 0 %.
func percentEach(shares map[string]float64) string {
	var parts []string
	for _, name := range most(shares) {
		text := rounded(100*shares[name], 0)
		if shares[name] > 0 && shares[name] < 0.005 {
			text = "less than 1"
		}
		parts = append(parts, fmt.Sprintf("%s %% %s", text, name))
	}
	return strings.Join(parts, ", ")
}

// notes say how sure the prices are and, loudly, whether they are of one kind.
func (all Prices) notes() (notes []string) {
	if shares := all.qualities(); len(shares) > 0 {
		notes = append(notes, "Quality: "+percentEach(shares))
	}
	if shares := all.bases(); len(shares) > 1 {
		notes = append(notes, "WARNING: the emissions add up intensities of more than one basis, which cannot be compared: "+percentEach(shares))
	}
	return notes
}
