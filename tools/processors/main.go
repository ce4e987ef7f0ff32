// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command processors derives what servers draw by the family of their processors, for
// internal/processor. It knows the results of SPECpower_ssj2008 and thermal design powers, as
// files beside it. Start reading at derive.
package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	log := func(err error) {
		fmt.Fprintln(os.Stderr, "processors:", err)
		os.Exit(1)
	}
	root := flag.String("root", ".", "the directory of the repository")
	results := flag.String("results", "", "make the extract of the results anew, from the file SPECpower-DATE.csv of ccf-coefficients")
	tdps := flag.String("tdps", "", "make the extract of thermal design powers anew, from the file cpu_power.csv of codecarbon")
	flag.Parse()
	beside := filepath.Join(*root, "tools", "processors")
	if err := errors.Join(
		extract(*results, filepath.Join(beside, "servers.csv"), extractServers),
		extract(*tdps, filepath.Join(beside, "tdps.csv"), extractTDPs),
	); err != nil {
		log(err)
	}
	watts, models, err := tables(beside)
	if err != nil {
		log(err)
	}
	to := filepath.Join(*root, "internal", "processor")
	if err := errors.Join(
		os.WriteFile(filepath.Join(to, "watts.csv"), watts, 0o644),
		os.WriteFile(filepath.Join(to, "models.csv"), models, 0o644),
	); err != nil {
		log(err)
	}
}

// extract does nothing without a file to make it from.
func extract(from, to string, of func(io.Reader) ([][]string, error)) error {
	if from == "" {
		return nil
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	records, err := of(f)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, text(records), 0o644)
}

// tables are the two files of internal/processor, from the extracts in a directory.
func tables(dir string) (watts, models []byte, err error) {
	servers, tdps, err := sources(dir)
	if err != nil {
		return nil, nil, err
	}
	w, m := derive(servers, tdps)
	return text(w), text(m), nil
}

// sources reads both extracts.
func sources(dir string) (servers []server, tdps map[[2]string]float64, err error) {
	results, err := os.ReadFile(filepath.Join(dir, "servers.csv"))
	if err != nil {
		return nil, nil, err
	}
	list, err := os.ReadFile(filepath.Join(dir, "tdps.csv"))
	if err != nil {
		return nil, nil, err
	}
	if servers, _, err = readServers(bytes.NewReader(results)); err != nil {
		return nil, nil, fmt.Errorf("servers.csv: %w", err)
	}
	if tdps, err = readTDPs(bytes.NewReader(list)); err != nil {
		return nil, nil, fmt.Errorf("tdps.csv: %w", err)
	}
	return servers, tdps, nil
}

func text(records [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(records); err != nil {
		panic(err) // memory takes all
	}
	return b.Bytes()
}
