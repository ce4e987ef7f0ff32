// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// server is one of those whose watts were published.
type server struct {
	cpu          string // as its maker calls it
	packages     int
	cores        int // of a package
	perCore      int // threads
	busyW, idleW float64
}

// threads of a package, with simultaneous multithreading or without.
func (s server) threads(smt bool) int {
	if smt {
		return s.cores * s.perCore
	}
	return s.cores
}

// name is that of the processor as Linux shows it.
func (s server) name() string {
	words := strings.Fields(strings.NewReplacer("Processor", "", "CPU", "").Replace(s.cpu))
	switch {
	case words[0] == "AMD":
		return fmt.Sprintf("AMD EPYC %s %d-Core Processor", words[2], s.cores)
	case words[2] == "Platinum" || words[2] == "Gold" || words[2] == "Silver":
		return fmt.Sprintf("Intel(R) Xeon(R) %s %s CPU @ 2.30GHz", words[2], words[3])
	default:
		return "Intel(R) Xeon(R) " + strings.Join(words[2:], " ") + " CPU @ 3.50GHz"
	}
}

// energy is what it draws in kWh, with a power that is linear between idle and full load, of a part
// of its threads.
func (s server) energy(smt bool, cpu usage.BusyIdle[float64]) float64 {
	threads := float64(s.packages * s.threads(smt))
	return (cpu.Busy*s.busyW + cpu.Idle*s.idleW) / threads / 3.6e6
}

// servers are those of the last years with few threads: each is a series.
func servers(t *testing.T) (all []server) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "tools", "processors", "servers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, r := range rows[1:] {
		s := server{r[1], int(number(r[3])), int(number(r[5])), int(number(r[6])), number(r[7]), number(r[8])}
		known := strings.HasPrefix(s.cpu, "AMD EPYC") || strings.HasPrefix(s.cpu, "Intel Xeon ")
		if r[2] >= "2018-01" && known && s.perCore == 2 && s.packages*s.cores*s.perCore <= 64 {
			all = append(all, s)
		}
	}
	if len(all) < 50 {
		t.Fatalf("%d servers to draw from", len(all))
	}
	return all
}

// drawn are some servers, none of them twice.
func drawn(all []server, seed uint64, n int) []server {
	order := rand.New(rand.NewPCG(seed, 7)).Perm(len(all))
	some := make([]server, n)
	for i := range some {
		some[i] = all[order[i]]
	}
	return some
}
