// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
)

// server is one result.
type server struct {
	maker, cpu, published string // the month, as 2024-06
	name                  processor.Name
	chips, cores, perCore int
	busy, idle            float64 // watts of the whole server, at full load and at active idle
}

func (s server) threads() int { return s.cores * s.perCore }

// readServers reads the extract of the results. It leaves out those that contradict themselves:
// some makers have given the cores of the server as those of a chip, or those of a chip as those
// of the server.
func readServers(from io.Reader) (servers []server, contradictory int, err error) {
	records, err := columns(from, serversHeader)
	if err != nil {
		return nil, 0, err
	}
	for i, r := range records {
		s := server{maker: maker(r[0]), cpu: r[1], published: r[2]}
		s.name, _ = processor.Recognise(s.cpu)
		if _, err := time.Parse("2006-01", s.published); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", i+2, err)
		}
		var numbers [6]float64
		for j := range numbers {
			if numbers[j], err = positive(r[3+j]); err != nil {
				return nil, 0, fmt.Errorf("line %d: %s: %w", i+2, serversHeader[3+j], err)
			}
		}
		s.chips, s.cores, s.perCore = int(numbers[0]), int(numbers[1]), int(numbers[3])
		s.busy, s.idle = numbers[4], numbers[5]
		if s.cores != s.chips*int(numbers[2]) {
			contradictory++
			continue
		}
		servers = append(servers, s)
	}
	return servers, contradictory, nil
}

// readTDPs reads the extract of thermal design powers. Of several for one model, the highest
// counts: the lower ones are of settings that a maker of servers may choose.
func readTDPs(from io.Reader) (map[[2]string]float64, error) {
	records, err := columns(from, tdpsHeader)
	if err != nil {
		return nil, err
	}
	tdps := map[[2]string]float64{}
	for i, r := range records {
		name, ok := processor.Recognise(r[0])
		if !ok || name.Model == "" {
			return nil, fmt.Errorf("line %d: %s is of no family", i+2, r[0])
		}
		tdp, err := positive(r[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		key := [2]string{name.Family, name.Model}
		tdps[key] = max(tdps[key], tdp)
	}
	return tdps, nil
}

func positive(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !(x > 0) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is no positive number", s)
	}
	return x, nil
}

// maker is one name for the names that a maker of servers has had.
func maker(name string) string {
	first, _, _ := strings.Cut(strings.ToLower(name), " ")
	switch first {
	case "hewlett", "hewlett-packard":
		return "hewlett-packard"
	case "super", "supermicro":
		return "supermicro"
	case "fsas":
		return "fujitsu"
	}
	return strings.Trim(first, ",.")
}
