// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

//go:embed factors.csv
var factorsCSV []byte

// Kinds of generation that the code knows by name. All others stand in factors.csv alone.
const (
	// kindOther is what has no factor of its own. It is not 0, and not left out either: a grid
	// with a type that nobody has heard of would look cleaner than it is.
	kindOther = "other"
	// kindStorage is pumped water, batteries and the like. It has no factor: what storage gives
	// was generated before, and counted then. So it is no part of a mix, neither when it gives
	// nor when it takes.
	kindStorage = "storage"
)

// factor is what a kWh of one kind emits.
type factor struct{ lifecycle, direct usage.GramsPerKWh }

// of is the factor for one kind of emissions, usage.Lifecycle unless it is usage.Direct.
func (f factor) of(emissions string) usage.GramsPerKWh {
	if emissions == usage.Direct {
		return f.direct
	}
	return f.lifecycle
}

// factors are those of factors.csv by kind. The file is written by hand, so a fault in it is one
// of the program.
var factors = sync.OnceValue(func() map[string]factor {
	r := csv.NewReader(bytes.NewReader(factorsCSV))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		panic(fmt.Sprintf("factors.csv: %v", err))
	}
	found := map[string]factor{}
	for _, row := range rows[1:] {
		lifecycle, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			panic(fmt.Sprintf("factors.csv: %s: %v", row[0], err))
		}
		direct, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			panic(fmt.Sprintf("factors.csv: %s: %v", row[0], err))
		}
		found[row[0]] = factor{usage.GramsPerKWh(lifecycle), usage.GramsPerKWh(direct)}
	}
	return found
})

// mixBasis is the basis of an intensity that is made of a generation mix and our factors.
func mixBasis(emissions string) usage.Basis {
	b := usage.Basis{Signal: usage.Average, Emissions: usage.Lifecycle, Electricity: usage.Production}
	if emissions == usage.Direct {
		b.Emissions = usage.Direct
	}
	return b
}
