// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package processor

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Any is the family of servers of which nothing is known.
const Any = "unknown"

// What the watts of a Row are divided by. Within a family a model of twice the thermal design power
// draws twice as much at full load, and the same when idle: what is on then, it shares with its
// smaller sister. Between families both grow with it.
const (
	PerThread  = "thread"  // hardware threads
	PerPackage = "package" // busy: watts of thermal design power; idle: packages
	PerTDP     = "tdp"     // watts of thermal design power
)

// Header names the columns of a table of watts.
var Header = []string{
	"family", "per", "servers", "from", "to",
	"busy", "busy_q1", "busy_q3", "busy_low", "busy_high",
	"idle", "idle_q1", "idle_q3", "idle_low", "idle_high",
}

// ModelsHeader names the columns of a table of models.
var ModelsHeader = []string{"family", "model", "tdp_watts", "threads"}

// Level is what servers draw in one mode: the median, both quartiles, and the bounds for a server
// that is not among them.
type Level struct{ Median, Q1, Q3, Low, High float64 }

// Row is what the servers of a family draw, at full load and idle.
type Row struct {
	Family, Per string
	Servers     int
	From, To    string
	Busy, Idle  Level
}

// Model is what is known of one model. Threads are those of a package, 0 if not known.
type Model struct {
	TDP     float64
	Threads int
}

// Table is what servers draw, by family, and the models of the families.
type Table struct {
	rows   map[[2]string]Row
	models map[[2]string]Model
}

// Read reads a table of watts and one of models, in CSV.
func Read(watts, models io.Reader) (*Table, error) {
	t := &Table{rows: map[[2]string]Row{}, models: map[[2]string]Model{}}
	err := errors.Join(
		each(watts, Header, map[int]bool{0: true, 1: true, 3: true, 4: true}, func(text []string, n []float64) {
			t.rows[[2]string{text[0], text[1]}] = Row{
				Family: text[0], Per: text[1], Servers: int(n[2]), From: text[3], To: text[4],
				Busy: level(n[5:10]), Idle: level(n[10:15]),
			}
		}),
		each(models, ModelsHeader, map[int]bool{0: true, 1: true}, func(text []string, n []float64) {
			t.models[[2]string{text[0], text[1]}] = Model{TDP: n[2], Threads: int(n[3])}
		}),
	)
	if err != nil {
		return nil, err
	}
	for _, per := range []string{PerThread, PerTDP} {
		if _, ok := t.rows[[2]string{Any, per}]; !ok {
			return nil, fmt.Errorf("there is no row of watts per %s for servers that are not known", per)
		}
	}
	return t, nil
}

// each calls do with each record of a CSV file and the numbers in it.
func each(r io.Reader, header []string, text map[int]bool, do func(record []string, numbers []float64)) error {
	records, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return err
	}
	if len(records) == 0 || !slices.Equal(records[0], header) {
		return fmt.Errorf("the first line must be %s", strings.Join(header, ","))
	}
	for i, record := range records[1:] {
		numbers := make([]float64, len(record))
		for column, field := range record {
			if text[column] {
				continue
			}
			if numbers[column], err = strconv.ParseFloat(field, 64); err != nil {
				return fmt.Errorf("line %d: %s: %w", i+2, header[column], err)
			}
		}
		do(record, numbers)
	}
	return nil
}

func level(n []float64) Level {
	return Level{Median: n[0], Q1: n[1], Q3: n[2], Low: n[3], High: n[4]}
}
