// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
)

var (
	serversHeader = []string{"maker", "cpu", "published", "chips", "cores", "cores_per_chip", "threads_per_core", "busy_watts", "idle_watts"}
	tdpsHeader    = []string{"name", "tdp_watts"}
)

// The same columns as ccf-coefficients names them.
var theirs = []string{"Hardware Vendor", "CPU Description", "Published", "Chips", "# Cores", "# Cores Per Chip", "# Threads Per Core", "avg. watts @ 100%", "avg. watts @ active idle"}

// extractServers takes the columns that are needed from the SPECpower results of
// ccf-coefficients. Their "Total Threads" is not needed, and wrong where a maker has given the cores
// of a server as those of a chip.
func extractServers(from io.Reader) ([][]string, error) {
	records, err := columns(from, theirs)
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		published, err := time.Parse("Jan-2006", r[2])
		if err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		r[2] = published.Format("2006-01")
	}
	return sorted(serversHeader, records), nil
}

// extractTDPs takes the processors of families of servers from codecarbon's list.
func extractTDPs(from io.Reader) ([][]string, error) {
	records, err := columns(from, []string{"Name", "TDP"})
	if err != nil {
		return nil, err
	}
	records = slices.DeleteFunc(records, func(r []string) bool {
		name, ok := processor.Recognise(r[0])
		return !ok || name.Model == ""
	})
	return sorted(tdpsHeader, records), nil
}

// columns reads columns of a CSV file by name, with each run of white space as one space.
func columns(from io.Reader, names []string) ([][]string, error) {
	records, err := csv.NewReader(from).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("the file is empty")
	}
	var all [][]string
	for _, record := range records[1:] {
		var row []string
		for _, name := range names {
			at := slices.Index(records[0], name)
			if at < 0 {
				return nil, fmt.Errorf("there is no column %q", name)
			}
			row = append(row, strings.Join(strings.Fields(record[at]), " "))
		}
		all = append(all, row)
	}
	return all, nil
}

func sorted(header []string, records [][]string) [][]string {
	slices.SortFunc(records, func(a, b []string) int { return slices.CompareFunc(a, b, cmp.Compare[string]) })
	return slices.Insert(records, 0, header)
}
