// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package processor knows what servers draw at the wall, by the family of their processors.
// It must not know where names come from, or what the watts are used for.
// Start reading at Of.
//
// The watts are derived from results of the benchmark SPECpower_ssj2008 by tools/processors, which
// also has the sources and their licences. SPEC and SPECpower_ssj2008 are trademarks of the
// Standard Performance Evaluation Corporation.
package processor

import (
	"bytes"
	_ "embed"
	"fmt"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	//go:embed watts.csv
	wattsCSV []byte
	//go:embed models.csv
	modelsCSV []byte
)

// Estimate is what a hardware thread of a server draws: its share of the whole server, at the
// wall.
type Estimate struct {
	Family string
	Watts  usage.BusyIdle[usage.Watts]
	// Low and High have the truth between them two times in three (one standard error), for a
	// server that is not among those that the estimate is made of.
	Low, High usage.BusyIdle[usage.Watts]
	Servers   int    // that the estimate is made of
	From, To  string // the months in which their results were published, as 2024-06
	Weak      bool   // of what other families draw, or of a name that a hypervisor has given
	Reason    string // how the estimate was made, in words
}

// Of estimates what a hardware thread of a processor draws, by its name in
// node_cpu_info{model_name}, say "AMD EPYC 9354 32-Core Processor". The threads of a package make
// the estimate better if the machine is a real one; give 0 if they are not known and for virtual
// machines, whose packages are made up. It is false for a name that says nothing.
func Of(name string, threadsPerPackage int) (Estimate, bool) {
	return shipped().Of(name, threadsPerPackage)
}

// Unknown estimates what a hardware thread of a server of the last years draws, of which nothing
// is known.
func Unknown() Estimate { return shipped().Unknown() }

// shipped is read when it is first asked: who does not use it does not pay for it.
var shipped = sync.OnceValue(func() *Table {
	t, err := Read(bytes.NewReader(wattsCSV), bytes.NewReader(modelsCSV))
	if err != nil {
		panic(fmt.Errorf("the table of processors in the program: %w", err))
	}
	return t
})
